import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Commit, RecordedEvent } from "../events/event.ts";
import { createServiceApp } from "../http/service-app.ts";
import { LIMITS } from "../limits.ts";
import { err, ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { nodeSql } from "../runtime/node-sql.ts";
import { type ParkedEvent, type ParkedPage, type Parking, parking } from "./parking.ts";
import { replayParkedEvents } from "./parking-replays.ts";
import type { ProcessMethods } from "./process-actor.ts";
import { addProcessRoutes, type ParkingMethods } from "./process-routes.ts";

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
    { commit: { position } as Commit, event: { id } as RecordedEvent, part: 0, key: "a" },
  );

const setUp = (
  replay: ProcessMethods["replay"] = async ({ id }) => ok({ id }),
  shown: Pick<ParkingMethods, "parkedEvent" | "drop"> = {
    parkedEvent: async () => undefined,
    drop: async ({ id }) => err({ code: "not_found", detail: id }),
  },
) => {
  const parkings = new Map(
    ["ship", "bill"].map((name) => [name, parking(nodeSql(new DatabaseSync(":memory:")))]),
  );
  const app = createServiceApp({ name: "things", major: 1, description: "", problems: {}, readiness: [] });
  const named = (name: string) => ({
    parked: async (page: ParkedPage) => parkings.get(name)?.page(page) ?? [],
    replay,
    ...shown,
  });
  const names = [...parkings.keys()];
  const processors = { named };
  addProcessRoutes(app, { processors, processes: names });
  const parkIn = (process: string, position: number, id: string) => {
    const found = parkings.get(process);
    if (found) park(found, process, position, id);
  };
  return { app, parkIn };
};

const post = (app: ReturnType<typeof setUp>["app"], body: object) =>
  app.request("/things/v1/parked/replays", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const replayOf = (app: ReturnType<typeof setUp>["app"]) => post(app, { process: "ship", id: "e/0" });

describe("dropping what is parked", () => {
  it("is refused with the reason, where that cannot be done now", async () => {
    const { app } = setUp(undefined, {
      parkedEvent: async () => undefined,
      drop: async () => err({ code: "unavailable", detail: "its read model is being rebuilt" }),
    });
    const answer = await app.request("/things/v1/parked/e~0?reason=by-hand", { method: "DELETE" });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ detail: "its read model is being rebuilt" });
  });
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

describe("a replay of many", () => {
  it("takes page after page, tells what failed and why, and leaves what only waits behind another", async () => {
    const { app, parkIn } = setUp(async ({ id }) =>
      id === "e3/0" ? err({ code: "replay_failed", detail: "conflict, always" }) : ok({ id }),
    );
    for (let position = 1; position <= 5; position++) parkIn("ship", position, `e${position}/0`);
    const first = await (await post(app, { process: "ship", limit: 3 })).json();
    expect(first).toEqual({
      replayed: 2,
      failed: 1,
      failures: [{ id: "e3/0", code: "replay_failed", detail: "conflict, always" }],
      next: { position: 3, id: "e3/0" },
    });
    const { next } = first as { next: object };
    expect(await (await post(app, { process: "ship", limit: 3, after: next })).json()).toEqual({
      replayed: 2,
      failed: 0,
      failures: [],
    });
  });

  it("begins none when its time is over, and says where to go on", async () => {
    let now = 0;
    const replayed: string[] = [];
    const parked = [1, 2, 3].map((position) => ({
      position,
      id: `e${position}/0`,
      aggregateId: "a",
      type: "T",
    }));
    const parking = {
      parked: async () => parked.map((event) => ({ ...event, reason: { code: "conflict" } }) as ParkedEvent),
      replay: async ({ id }: { id: string }) => {
        replayed.push(id);
        now += LIMITS.parkedReplaysMs + 1;
        return ok({ id });
      },
    };
    const done = await replayParkedEvents(parking, { limit: 10 }, () => now);
    expect([replayed, done]).toEqual([
      ["e1/0"],
      { replayed: 1, failed: 0, failures: [], next: { position: 1, id: "e1/0" } },
    ]);
  });

  it("may be of one type only", async () => {
    const { app, parkIn } = setUp();
    parkIn("ship", 1, "e1/0");
    expect(await (await post(app, { process: "ship", type: "Other" })).json()).toMatchObject({ replayed: 0 });
    expect(await (await post(app, { process: "ship", type: "Happened" })).json()).toMatchObject({
      replayed: 1,
    });
  });
});

describe("a drop", () => {
  it("reaches the event whose id is in the path, wants a reason, and tells of an unknown one", async () => {
    const dropped: object[] = [];
    const { app } = setUp(undefined, {
      parkedEvent: async () => undefined,
      async drop(input) {
        if (input.id !== "e/0") return err({ code: "not_found", detail: "" });
        dropped.push(input);
        return ok({ id: input.id });
      },
    });
    const drop = async (query: string) =>
      (await app.request(`/things/v1/parked/${query}`, { method: "DELETE" })).status;
    expect(await drop("e%2F0?reason=paid%20by%20hand")).toBe(200);
    expect(await drop("e~0?reason=paid")).toBe(200);
    expect(dropped).toEqual([
      { id: "e/0", reason: "paid by hand" },
      { id: "e/0", reason: "paid" },
    ]);
    expect([await drop("e%2F0"), await drop("x%2F0?reason=none")]).toEqual([400, 404]);
  });
});
