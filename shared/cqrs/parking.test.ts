import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { subscribed } from "#test/fake/subscribed.ts";
import type { Commit, RecordedEvent } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import { err, ok } from "../result.ts";
import { nodeSql } from "../runtime/node-sql.ts";
import { parking } from "./parking.ts";
import { replayParkedEvents } from "./parking-replays.ts";

const parkedEvent = (id: string, position: number) => ({
  id,
  process: "ship",
  source: "orders",
  position,
  aggregateId: "a",
  type: "Happened",
  reason: { code: "conflict", detail: "no" },
  attempts: 1,
  parkedAt: "2026-01-01T00:00:00.000Z",
});

describe("what is parked", () => {
  it("is listed in the log's order, also a commit's many events, whatever the size of a page", () => {
    const parked = parking(nodeSql(new DatabaseSync(":memory:")));
    const expected: string[] = [];
    for (const position of [1, 2]) {
      for (let part = 0; part < 12; part++) {
        const id = `c${position}/${part}`;
        expected.push(id);
        const commit = { position } as Commit;
        parked.park(parkedEvent(id, position), { commit, event: { id } as RecordedEvent, part, key: "a" });
      }
    }
    for (const limit of [1, 5, 100]) {
      const seen: string[] = [];
      for (let page = parked.page({ limit }); page.length > 0; ) {
        seen.push(...page.map(({ id }) => id));
        page = parked.page({ limit, after: page.at(-1) });
      }
      expect(seen).toEqual(expected);
    }
  });

  it("is counted, however often it is parked and removed, and by whoever opens it next", () => {
    const sql = nodeSql(new DatabaseSync(":memory:"));
    const parked = parking(sql);
    const step = (id: string) => ({
      commit: { position: 1 } as Commit,
      event: { id } as RecordedEvent,
      part: 0,
      key: "a",
    });
    for (const id of ["a", "b", "a"]) parked.park(parkedEvent(id, 1), step(id));
    expect(parked.count()).toBe(2);
    parked.remove("a");
    parked.remove("a");
    expect([parked.count(), parking(sql).count()]).toEqual([1, 1]);
  });

  it("is replayed in the order of its keys, although they are of several aggregates", async () => {
    let refuses = true;
    const { calls, time, ...process } = await subscribed(
      ["a", "a", "b", "a", "c"],
      async () => (refuses ? err({ code: "conflict", detail: "no" }) : ok(null)),
      { subscription: { attempts: 1, keyOf: () => "all" } },
    );
    await time.pass(1_000);
    refuses = false;
    calls.length = 0;
    expect(await replayParkedEvents(process, { limit: 100 }, time.clock)).toMatchObject({ replayed: 5 });
    expect(calls).toEqual(["a-1", "a-2", "b-1", "a-3", "c-1"]);
  });

  it("is not tried again when its Actor dies, although an earlier event of another key is still in hand", async () => {
    const refuse = async () => err({ code: "conflict", detail: "no" });
    const first = await subscribed(
      ["slow", "bad"],
      (event) => (event === "bad-1" ? refuse() : new Promise(() => {})),
      { subscription: { attempts: 1 } },
    );
    await first.time.pass(1_000);
    first.context.die();
    const context = first.context.successor();
    const second = await subscribed([], async () => ok(null), { context, log: first.log });
    await second.time.pass(1_000);
    expect(second.calls).toEqual(["slow-1"]);
    expect(await second.wake({})).toMatchObject({ parked: 1, floor: 2 });
  });

  it("is parked no more once a replay of the log has handled it, at whichever attempt", async () => {
    const codes = ["conflict", "unavailable"];
    const { replayFrom, wake, calls, time } = await subscribed(
      ["a"],
      async () => {
        const code = codes.shift();
        return code === undefined ? ok(null) : err({ code, detail: "no" });
      },
      { subscription: { attempts: 1 } },
    );
    await time.pass(1_000);
    expect(await wake({})).toMatchObject({ parked: 1 });
    await replayFrom({ position: 1 });
    await time.pass(1_000);
    expect(calls).toEqual(["a-1", "a-1", "a-1"]);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 1, parked: 0 });
  });

  it("is no failure of a replay of many when it only waits behind another one", async () => {
    const { time, ...process } = await subscribed(
      ["a", "a", "b"],
      async () => err({ code: "conflict", detail: "no" }),
      { subscription: { attempts: 1, whenParked: "wait" } },
    );
    await time.pass(1_000);
    const { failures, ...counts } = await replayParkedEvents(process, { limit: 100 }, time.clock);
    expect(counts).toEqual({ replayed: 0, failed: 2 });
    expect(failures.map(({ id }) => id)).toEqual(["a-1/0", "b-1/0"]);
  });

  it("and was replayed by somebody else meanwhile is no failure of a replay of many", async () => {
    const found = {
      parked: async () => [parkedEvent("a-1/0", 1)],
      replay: async ({ id }: { id: string }) => err({ code: "not_found", detail: id }),
    };
    const replayed = await replayParkedEvents(found, { limit: 100 }, () => 0);
    expect(replayed).toEqual({ replayed: 0, failed: 0, failures: [] });
  });

  it("and has no key waits for nobody, nor does anybody wait for it", async () => {
    const { calls, replay, parked, time } = await subscribed(["a", "b", "c"], async () => ok(null), {
      subscription: { whenParked: "wait", keyOf: (_, { aggregate: { id } }) => (id === "c" ? "c" : "") },
    });
    await time.settle();
    expect(calls).toEqual(["c-1"]);
    expect((await parked({ limit: 10 })).map(({ id, key }) => [id, key])).toEqual([
      ["a-1/0", undefined],
      ["b-1/0", undefined],
    ]);
    expect(await replay({ id: "b-1/0" })).toEqual(ok({ id: "b-1/0" }));
  });

  it("is dropped while it is being replayed without a word of failure, and what waited comes after", async () => {
    const context = testActorContext();
    let refuses = true;
    const { calls, replay, drop, wake, time } = await subscribed(
      ["a", "a"],
      async () => {
        await context.sleep(100);
        return refuses ? err({ code: "conflict", detail: "no" }) : ok(null);
      },
      { context, subscription: { attempts: 1, whenParked: "wait" } },
    );
    await time.pass(1_000);
    refuses = false;
    const replayed = replay({ id: "a-1/0" });
    await time.pass(50);
    expect(await drop({ id: "a-1/0", reason: "by hand" })).toEqual(ok({ id: "a-1/0" }));
    await time.pass(49);
    expect(calls).toEqual(["a-1", "a-1"]);
    await time.pass(1_000);
    expect(await replayed).toEqual(ok({ id: "a-1/0" }));
    expect(calls).toEqual(["a-1", "a-1", "a-2"]);
    expect(await wake({})).not.toHaveProperty("waiting");
  });

  it("is a bounded number: beyond it nothing new is taken, which is told, until somebody looks after it", async () => {
    const context = testActorContext();
    parking(context.sql);
    context.sql.exec(
      `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${LIMITS.subscriptionParked})
       INSERT INTO parked (id, position, part, key, event, commit_json)
       SELECT 'p' || n, n, 0, 'k' || (n % 100), '{"reason":{}}', '{"events":[{"id":"p' || n || '"}]}' FROM n`,
    );
    const { calls, drop, wake, time } = await subscribed(["a"], async () => ok(null), { context });
    await time.pass(1_000);
    expect(calls).toEqual([]);
    expect((await wake({})).failure).toContain(`${LIMITS.subscriptionParked} events are parked`);
    await drop({ id: "p7", reason: "enough" });
    await time.pass(LIMITS.pumpMs);
    expect(calls).toEqual(["a-1"]);
    expect(await wake({})).not.toHaveProperty("failure");
  });
});
