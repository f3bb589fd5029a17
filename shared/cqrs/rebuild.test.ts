import { describe, expect, it } from "vitest";
import {
  appendCommits,
  counting,
  countingProjection,
  sumsIn,
  sumsOf,
} from "#test/fake/counting-projection.ts";
import { type MemoryReadStore, memoryReadStore } from "#test/fake/memory-read-store.ts";
import { type TestProjectors, testProjectors } from "#test/fake/projectors.ts";
import type { Commit } from "../events/event.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import type { Projection } from "./projection.ts";

const first = countingProjection;
const sharded: Projection = { ...first, shards: 3 };
const second: Projection = { ...first, version: 2, changes: counting(2) };

const begin = async (projection: Projection, commits: number) => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, commits);
  const projectors = testProjectors({ projection, log, store: memory.store });
  await projectors.projection.wake({});
  await projectors.time.settle();
  return { log, memory, projectors };
};

const sums = (memory: MemoryReadStore) => sumsIn(memory.rows("numbers"));

const phaseOf = async ({ projection }: TestProjectors) => (await projection.details({})).rebuild?.phase;

const reads = async ({ projection, time }: TestProjectors, position: number) => {
  const answer = projection.waitFor({ position, timeoutMs: 10 });
  await time.pass(10);
  return answer;
};

describe("a read model whose projection has another version", () => {
  it("stays as it is, and says so, until the new one takes its place with all rows", async () => {
    const { log, memory, projectors } = await begin(first, 5);
    await appendCommits(log, 1);
    let filling = () => {};
    const filled = new Promise<void>((resolve) => {
      filling = resolve;
    });
    memory.around = async (method, call) => {
      if (method === "takeOver") await filled;
      return call();
    };
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(5, 1));
    expect(await next.projection.wake({})).toMatchObject({
      outdated: { version: 1, declared: 2, stands: true },
    });
    expect([await reads(next, 5), await reads(next, 6)]).toEqual([true, false]);
    filling();
    await next.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(6, 2));
    expect(await reads(next, 6)).toBe(true);
    expect(await next.projection.wake({})).toEqual({ projection: "numbers", position: 6 });
    expect(memory.tables()).toEqual(["numbers"]);
  });

  it("goes on meanwhile by the version before, where the projection still has that", async () => {
    const { log, memory, projectors } = await begin(first, 5);
    memory.around = async (method, call) => {
      if (method === "createCopies") throw new Error("no room");
      return call();
    };
    const next = projectors.successor({ ...second, former: { version: 1, changes: counting(1) } });
    await next.projection.wake({});
    await appendCommits(log, 3);
    await next.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(8, 1));
    expect(await reads(next, 8)).toBe(true);
    expect((await next.projection.details({})).rebuild).toMatchObject({ failure: "no room" });
    memory.around = (_, call) => call();
    await next.time.pass(10_000);
    expect(sums(memory)).toEqual(sumsOf(8, 2));
  });

  it("is filled once more when a migration has changed its tables meanwhile, before anybody stands still for it", async () => {
    const { memory, projectors } = await begin(first, 5);
    const asked: string[] = [];
    memory.around = async (method, call) => {
      asked.push(method);
      return method === "copiesFit" && asked.filter((each) => each === method).length === 1 ? false : call();
    };
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    expect(asked.filter((each) => each === "createCopies")).toHaveLength(2);
    expect(asked.filter((each) => each === "takeOver")).toHaveLength(1);
    expect(sums(memory)).toEqual(sumsOf(5, 2));
  });

  it("is rebuilt back when the former version is deployed again", async () => {
    const { memory, projectors } = await begin(first, 5);
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(5, 2));
    const back = next.successor(first);
    await back.projection.wake({});
    await back.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(5, 1));
  });

  it("that is new is not rebuilt, whatever its version", async () => {
    const { memory, projectors } = await begin({ ...second, version: 7 }, 5);
    expect(sums(memory)).toEqual(sumsOf(5, 2));
    expect((await projectors.projection.details({})).rebuild).toBeUndefined();
  });

  it("is rebuilt past a commit that stopped the version before", async () => {
    const stopping: Projection = {
      ...first,
      changes(commits) {
        if (commits.some(({ position }) => position === 3)) throw new Error("no such field");
        return counting(1)(commits);
      },
    };
    const { memory, projectors } = await begin(stopping, 5);
    await projectors.time.pass(500);
    expect(sums(memory)).toEqual(sumsOf(2, 1));
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(5, 2));
  });
});

describe("a rebuild that is asked for", () => {
  it("is one, however often it is asked for, and puts right what was wrong in the rows", async () => {
    const { memory, projectors } = await begin(first, 5);
    await memory.store.apply({
      projection: "somebody",
      from: 0,
      to: 1,
      changes: [{ change: "upsert", table: "numbers", key: ["n"], rows: [{ n: 2, sum: 99 }] }],
    });
    const asked = await projectors.projection.rebuild({ keep: false });
    expect(await projectors.projection.rebuild({ keep: false })).toEqual(asked);
    await projectors.time.pass(1_000);
    expect(sums(memory)).toEqual(sumsOf(5, 1));
    const { rebuild } = await projectors.projection.details({});
    expect(rebuild).toMatchObject({ id: "1", phase: "done", position: 5, target: 5 });
    expect(await projectors.projection.rebuild({ keep: false })).toMatchObject({ id: "2" });
  });

  it("keeps the old tables where asked, until they are dropped", async () => {
    const { memory, projectors } = await begin(first, 5);
    await projectors.projection.rebuild({ keep: true });
    await projectors.time.pass(1_000);
    expect(memory.tables()).toEqual(["numbers", "numbers__old"]);
    await projectors.projection.rebuild({ keep: true });
    await projectors.time.pass(1_000);
    expect(memory.tables()).toEqual(["numbers", "numbers__old"]);
    await projectors.projection.dropOld({});
    expect(memory.tables()).toEqual(["numbers"]);
  });

  it("can be cancelled, leaves nothing behind, and does not begin again by itself", async () => {
    const { memory, projectors } = await begin(first, 5);
    memory.around = async (method, call) => {
      if (method === "createCopies") await call().then(() => Promise.reject(new Error("lost")));
      return call();
    };
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    expect(await next.projection.cancelRebuild({})).toMatchObject({ ok: true });
    await next.time.pass(60_000);
    memory.around = (_, call) => call();
    await next.time.pass(60_000);
    expect(await phaseOf(next)).toBe("cancelled");
    expect(memory.tables()).toEqual(["numbers"]);
    expect(await next.projection.cancelRebuild({})).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });

  it("waits for a log that is empty, and holds up nobody", async () => {
    const { log, memory, projectors } = await begin(first, 0);
    await projectors.projection.rebuild({ keep: false });
    await projectors.time.pass(1_000);
    await appendCommits(log, 3);
    await projectors.time.pass(2_000);
    expect(await phaseOf(projectors)).toBe("done");
    expect(sums(memory)).toEqual(sumsOf(3, 1));
  });
});

/** One life of everything, in which the process dies around one of the store's calls; and all reads meanwhile. */
const runCutAt = async (from: Projection, to: Projection, cut: number) => {
  const { log, memory, projectors } = await begin(from, 4);
  let calls = 0;
  let projection = projectors;
  const wrong: string[] = [];
  const sumsNow = () => sums(memory);

  const look = async () => {
    const { position = 0 } = await projection.projection.wake({});
    const rows = sumsNow();
    const steps = new Set(rows.map(([, sum]) => sum));
    const lacking = rows.slice(0, position).filter(([n], index) => n !== index + 1).length;
    if (rows.length < position || steps.size > 1 || lacking > 0)
      wrong.push(`at ${position}: ${JSON.stringify(rows)}`);
  };

  let written = 4;
  const writeOne = async () => {
    if (written === 9) return;
    written++;
    await appendCommits(log, 1);
  };
  memory.around = async (_, call) => {
    if (calls++ === cut) projection.die();
    // Others go on while a database is asked, and the log grows just then.
    if (calls >= cut - 12 && calls % 4 === 1) await writeOne();
    await projectors.time.sleep(1);
    const answer = await call();
    if (calls++ === cut) projection.die();
    return answer;
  };
  projection = projection.successor(to);
  await projection.projection.wake({});
  if (from === to) await projection.projection.rebuild({ keep: true });
  for (let round = 0; round < 30; round++) {
    if (round > 15) await writeOne();
    await projection.time.pass(7);
    await look();
  }
  const died = calls > cut;
  memory.around = (_, call) => call();
  projection = projection.successor();
  for (let round = 0; round < 30; round++) {
    await look();
    await projection.time.pass(100);
  }
  return { died, wrong, sums: sumsNow(), tables: memory.tables(), phase: await phaseOf(projection) };
};

describe("wherever the process dies", () => {
  it.each([
    ["another version", first, second],
    ["another version beside the former", first, { ...second, former: { version: 1, changes: counting(1) } }],
    ["the same version", first, first],
    ["the same version of several shards", sharded, sharded],
    ["another number of shards", first, { ...first, shards: 3, changes: counting(1) }],
  ] as const)(
    "a rebuild to %s ends with each commit once, and no read before is wrong",
    async (_, from, to) => {
      const step = to.changes([{ position: 1 } as Commit])[0]?.rows[0]?.sum as number;
      let cut = 0;
      for (let died = true; died; cut++) {
        const ended = await runCutAt(from, to, cut);
        died = ended.died;
        expect({ cut, ...ended, died: true }).toEqual({
          cut,
          died: true,
          wrong: [],
          sums: sumsOf(9, step),
          tables: from === to ? ["numbers", "numbers__old"] : ["numbers"],
          phase: "done",
        });
      }
      expect(cut).toBeGreaterThan(20);
    },
  );
});
