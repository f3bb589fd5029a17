import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Commit } from "../events/event.ts";
import { createServiceApp } from "../http/service-app.ts";
import { err, ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { nodeSql } from "../runtime/node-sql.ts";
import { type ParkedEvent, type Parking, parking } from "./parking.ts";
import type { ProcessMethods } from "./process-actor.ts";
import { addProcessRoutes } from "./process-routes.ts";

const park = (to: Parking, process: string, position: number, id: string) =>
  to.park(
    {
      id,
      process,
      source: "orders",
      position,
      aggregateId: "a",
      type: "Happened",
      reason: { code: "conflict", detail: "always" },
      attempts: 6,
      parkedAt: "2026-01-01T00:00:00.000Z",
    },
    {} as Commit,
  );

const setUp = (replay: ProcessMethods["replay"] = async ({ id }) => ok({ id })) => {
  const parkings = new Map(
    ["ship", "bill"].map((name) => [name, parking(nodeSql(new DatabaseSync(":memory:")))]),
  );
  const app = createServiceApp({ name: "things", major: 1, description: "", problems: {}, readiness: [] });
  const named = (name: string): ProcessMethods => ({
    wake: () => Promise.reject(new Error("not asked")),
    parked: async (page) => parkings.get(name)?.page(page) ?? [],
    replay,
  });
  addProcessRoutes(app, { processors: { named }, processes: [...parkings.keys()] });
  const parkIn = (process: string, position: number, id: string) => {
    const found = parkings.get(process);
    if (found) park(found, process, position, id);
  };
  return { app, parkIn };
};

const replayOf = (app: ReturnType<typeof setUp>["app"]) =>
  app.request("/things/v1/parked/replays", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ process: "ship", id: "e/0" }),
  });

describe("the list of what is parked", () => {
  it("shows everything once, process by process in the log's order, whatever the size of a page", async () => {
    const { app, parkIn } = setUp();
    const expected: string[] = [];
    for (const process of ["ship", "bill"]) {
      for (let position = 1; position <= 5; position++) {
        for (const id of [`${process}${position}/0`, `${process}${position}/1`]) {
          expected.push(id);
          parkIn(process, position, id);
        }
      }
    }
    for (const limit of [1, 3, 10, 19, 20, 100]) {
      const seen: string[] = [];
      let next: string | undefined = `/things/v1/parked?limit=${limit}`;
      while (next !== undefined) {
        const response: Response = await app.request(next);
        const { items } = (await response.json()) as { items: ParkedEvent[] };
        expect(items.length).toBeLessThanOrEqual(limit);
        seen.push(...items.map(({ id }) => id));
        next = /^<(.+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
      }
      expect(seen).toEqual(expected);
    }
  });

  it("refuses a cursor that it did not give", async () => {
    const { app } = setUp();
    expect((await app.request("/things/v1/parked?cursor=x")).status).toBe(400);
  });
});

describe("a replay", () => {
  it("that fails again is a problem of its own, to be tried again, with the reason", async () => {
    const { app } = setUp(async () => err({ code: "replay_failed", detail: "conflict, always" }));
    const response = await replayOf(app);
    expect([response.status, response.headers.get("retry-after")]).toEqual([502, "1"]);
    expect(await response.json()).toMatchObject({
      type: "/problems/replay_failed",
      detail: "conflict, always",
    });
  });

  it("whose process cannot be reached is unavailable", async () => {
    const { app } = setUp(() => Promise.reject(new ActorUnavailable("away")));
    const response = await replayOf(app);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  });
});
