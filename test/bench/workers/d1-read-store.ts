/** The read store on D1 where it runs: in a worker, without a proxy between it and the database. */
import type { Commit } from "#shared/events/event.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { orderCommits, rebuildOrders, writeRowByRow } from "../read-store-work.ts";

let commits: readonly Commit[] = [];

export default {
  async fetch(request: Request, { DB }: { DB: D1Database }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/prepare") commits = orderCommits(Number(searchParams.get("commits")));
    if (pathname === "/rebuild") await rebuildOrders(d1ReadStore(DB), commits);
    if (pathname === "/row-by-row") {
      await writeRowByRow(
        async (statements) =>
          void (await DB.batch(statements.map(({ sql, params }) => DB.prepare(sql).bind(...params)))),
        commits,
      );
    }
    return new Response();
  },
};
