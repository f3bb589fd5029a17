import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { timeouts } from "./timeouts.ts";
import { timeoutsActor } from "./timeouts-actor.ts";
import { timeoutsLog } from "./timeouts-log.ts";

const ORIGIN = { trace: {}, metadata: { correlationId: "request-1" } };

const start = (
  context: TestActorContext = testActorContext({ name: "ship-timeouts" }),
  answer: (id: string) => Result<unknown, Failure> | Promise<never> = () => ok(null),
) => {
  const fired: { id: string; atMs: number }[] = [];
  const { time } = context;
  const actor = timeoutsActor({
    context,
    process: {
      name: "ship-timeouts",
      source: "ship-timeouts",
      handles: ["TimedOut"],
      timeoutsOf: "process-ship",
      subscription: { whenParked: "wait" },
      async handle({ id }, { metadata, aggregate }) {
        expect({ metadata, type: aggregate.type }).toEqual({
          metadata: ORIGIN.metadata,
          type: "process-ship",
        });
        fired.push({ id, atMs: time.clock() });
        return answer(id);
      },
    },
    clock: time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  const startIn = (id: string, ms: number, instance = id) =>
    actor.methods.plan({
      ...ORIGIN,
      start: [{ id, timeout: "patience", instance, dueAt: time.clock() + ms }],
      cancel: [],
    });
  const cancel = (id: string) => actor.methods.plan({ ...ORIGIN, start: [], cancel: [id] });
  return { ...actor.methods, context, time, fired, startIn, cancel };
};

describe("a timeout", () => {
  it("fires when it is due, the earliest first, whoever was started first", async () => {
    const { startIn, time, fired } = start();
    const began = time.clock();
    await startIn("late", 90_000);
    await time.pass(10);
    await startIn("soon", 5_000);
    await time.pass(200_000);
    expect(fired).toEqual([
      { id: "soon", atMs: began + 5_010 },
      { id: "late", atMs: began + 90_000 },
    ]);
  });

  it("does not fire when it was cancelled, and once when it was started twice", async () => {
    const { startIn, cancel, time, fired } = start();
    await startIn("gone", 1_000);
    await startIn("stays", 1_000);
    await startIn("stays", 1_000);
    await cancel("gone");
    await time.pass(10_000);
    await startIn("stays", 0);
    await time.pass(10_000);
    expect(fired.map(({ id }) => id)).toEqual(["stays"]);
  });

  it("outlives its Actor, and fires at once when it fell due meanwhile", async () => {
    const first = start();
    await first.startIn("a", 5_000);
    await first.startIn("b", 500_000);
    first.context.die();
    await first.time.pass(60_000);
    const second = start(first.context.successor());
    await second.wake({});
    await second.time.settle();
    expect(second.fired.map(({ id }) => id)).toEqual(["a"]);
    await second.time.pass(500_000);
    expect(second.fired.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("fires again when its Actor died before it was handled", async () => {
    const first = start(undefined, () => err({ code: "unavailable", detail: "not yet" }));
    await first.startIn("a", 1_000);
    await first.time.pass(2_000);
    expect(first.fired.length).toBeGreaterThan(0);
    first.context.die();
    const second = start(first.context.successor());
    await second.wake({});
    await second.time.pass(10_000);
    expect(second.fired.map(({ id }) => id)).toEqual(["a"]);
  });

  it("is kept for as long as it is in hand, although later slices forget what is done", async () => {
    const first = start(undefined, () => new Promise<never>(() => {}));
    await first.startIn("a", 1_000);
    await first.time.pass(2_000);
    await first.pause({});
    await first.resume({});
    await first.time.pass(2_000);
    first.context.die();
    const second = start(first.context.successor());
    await second.wake({});
    await second.time.pass(2_000);
    expect([first.fired, second.fired].map((fired) => fired.map(({ id }) => id))).toEqual([["a"], ["a"]]);
  });

  it("that cannot be handled is parked with the reason; those of other instances fire", async () => {
    const { startIn, parked, time, fired } = start(undefined, (id) =>
      id === "bad" ? err({ code: "broken", detail: "no" }) : ok(null),
    );
    await startIn("bad", 1_000);
    await startIn("good", 1_000);
    await time.pass(120_000);
    expect(fired.filter(({ id }) => id === "good")).toHaveLength(1);
    expect(await parked({ limit: 10 })).toMatchObject([
      { id: "bad", aggregateId: "bad", type: "TimedOut", reason: { code: "broken" } },
    ]);
  });
});

describe("who follows timeouts", () => {
  it("sleeps no longer than a slice when none runs, or one that is due in years: timers end early beyond 24 days", async () => {
    for (const due of [undefined, 1e13]) {
      const end = new AbortController();
      const slept: number[] = [];
      const log = timeoutsLog({
        timeouts: {
          ...timeouts(testActorContext().sql, "process-ship"),
          nextDue: () => due,
        },
        clock: () => 0,
        async sleep(ms) {
          slept.push(ms);
          end.abort();
        },
      });
      for await (const _ of log.tail({ after: 0, batchMax: 1, signal: end.signal }))
        expect.fail("None is due");
      expect(slept).toEqual([LIMITS.pumpMs]);
    }
  });
});

describe("many timeouts", () => {
  it("that fall due together all fire once, over transactions of a bounded size", async () => {
    const { plan, time, fired } = start();
    const count = LIMITS.timeoutsTogether * 2 + 1;
    const dueAt = time.clock() + 1_000;
    const all = Array.from({ length: count }, (_, n) => ({
      id: `t${n}`,
      timeout: "patience",
      instance: `i${n}`,
      dueAt,
    }));
    await plan({ ...ORIGIN, start: all, cancel: [] });
    await time.pass(120_000);
    expect(new Set(fired.map(({ id }) => id)).size).toBe(count);
    expect(fired).toHaveLength(count);
  });

  it("that have fired leave nothing behind", async () => {
    const { startIn, time, context } = start();
    for (let n = 0; n < 20; n++) await startIn(`t${n}`, n);
    await time.pass(LIMITS.pumpMs * 3);
    const [row] = context.sql.exec<{ rows: number }>(
      "SELECT (SELECT COUNT(*) FROM fired) + (SELECT COUNT(*) FROM timeouts) AS rows",
    );
    expect(row?.rows).toBe(0);
  });

  it("are looked up by their time, however many run", () => {
    const { sql } = testActorContext();
    const store = timeouts(sql, "process-ship");
    sql.transaction(() => {
      for (let n = 0; n < 5_000; n++)
        store.start({ id: `t${n}`, timeout: "patience", instance: "i", dueAt: n }, ORIGIN);
    });
    expect(store.nextDue()).toBe(0);
    for (const statement of [
      "SELECT due_at FROM timeouts ORDER BY due_at, id LIMIT 1",
      "SELECT id, body FROM timeouts WHERE due_at <= 7 ORDER BY due_at, id LIMIT 3",
    ]) {
      const plan = JSON.stringify(sql.exec(`EXPLAIN QUERY PLAN ${statement}`));
      expect(plan).toContain("timeouts_by_due");
      expect(plan).not.toContain("TEMP B-TREE");
    }
    store.fire(2, 100);
    expect(store.fired(0, 2).map(({ commandId }) => commandId)).toEqual(["t0", "t1"]);
    expect([store.running(), store.lastFired(), store.nextDue()]).toEqual([4_997, 3, 3]);
  });

  it("are counted right also when their Actor could not write them, or not cancel them", async () => {
    const context = testActorContext({ name: "ship-timeouts" });
    let full = false;
    const exec: typeof context.sql.exec = (sql, ...params) => {
      if (full && params[0] === "worse") throw new Error("database is full");
      return context.sql.exec(sql, ...params);
    };
    const { plan, startIn } = start({ ...context, sql: { ...context.sql, exec } });
    await startIn("a", 1e9);
    full = true;
    const timeout = { timeout: "patience", instance: "i", dueAt: context.time.clock() + 1e9 };
    const both = [
      { ...timeout, id: "b" },
      { ...timeout, id: "worse" },
    ];
    await expect(plan({ ...ORIGIN, start: both, cancel: [] })).rejects.toThrow("full");
    expect(await startIn("c", 1e9)).toEqual(ok({ running: 2 }));
    await expect(plan({ ...ORIGIN, start: [], cancel: ["a", "worse"] })).rejects.toThrow("full");
    expect(await startIn("d", 1e9)).toEqual(ok({ running: 3 }));
  });

  it("beyond the bound are refused as unavailable, and start once others are over", async () => {
    const { plan, startIn, cancel, time } = start();
    const full = Array.from({ length: LIMITS.timeoutsRunning }, (_, n) => ({
      id: `t${n}`,
      timeout: "patience",
      instance: "i",
      dueAt: time.clock() + 1e9,
    }));
    await plan({ ...ORIGIN, start: full, cancel: [] });
    expect(await startIn("one more", 1e9)).toMatchObject({ ok: false, error: { code: "unavailable" } });
    await cancel("t7");
    expect(await startIn("one more", 1e9)).toEqual(ok({ running: LIMITS.timeoutsRunning }));
  });
});
