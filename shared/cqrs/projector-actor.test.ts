import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { type EventLog, LogUnavailable } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Actors } from "../runtime/actor.ts";
import type { Projection } from "./projection.ts";
import { projectorActor } from "./projector-actor.ts";
import type { ReadStore } from "./read-store.ts";
import type { ProjectionShard } from "./rebuild.ts";

type Apply = ReadStore["apply"];
type Change = Parameters<Apply>[0];

/** A read store in memory whose rows are the positions that it was brought through. */
const memoryStore = () => {
  const memory = memoryReadStore("numbers");
  const faults: Array<(change: Change, real: Apply) => ReturnType<Apply>> = [];
  const store: ReadStore = {
    ...memory.store,
    checkpoint: memory.store.checkpoint,
    apply: (change) =>
      change.projection !== "numbers" || change.from === change.to
        ? memory.store.apply(change)
        : (faults.shift() ?? ((it, apply) => apply(it)))(change, memory.store.apply),
  };
  return {
    store,
    rows: () => memory.rows("numbers").map(({ n }) => n),
    faults,
    checkpoint: () => memory.checkpoints.get("numbers") ?? 0,
  };
};

const projection: Projection = {
  name: "numbers",
  tables: ["numbers"],
  changes: (commits) => [
    {
      change: "add",
      table: "numbers",
      key: ["n"],
      rows: commits.map(({ position }) => ({ n: position, times: 1 })),
    },
  ],
};

const peers: Actors<ProjectionShard> = {
  named: (name) => {
    throw new Error(`no peer "${name}"`);
  },
};

const write = async (log: EventLog, count: number) => {
  const last = await log.lastPosition();
  for (let n = last + 1; n <= last + count; n++) {
    await log.append({
      aggregate: { type: "number", id: `${n}` },
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: `c${n}`,
      at: 0,
      events: [{ type: "Counted", data: {} }],
      trace: {},
    });
  }
};

const start = (log: EventLog, store: ReadStore, context = testActorContext({ name: "numbers" })) => {
  const actor = projectorActor({
    context,
    projection,
    source: "orders",
    log,
    store,
    peers,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  return { ...actor.methods, context, time: context.time };
};

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What a promise came to so far. */
const outcome = <T>(promise: Promise<T>) => {
  const seen: { value?: T } = {};
  void promise.then((value) => {
    seen.value = value;
  });
  return seen;
};

describe("a projector", () => {
  it("applies the whole log in order, in bounded batches, and what comes later", async () => {
    const log = memoryEventLog();
    const { store, rows, faults } = memoryStore();
    const sizes: number[] = [];
    faults.push(
      ...Array.from({ length: 4 }, () => (change: Parameters<Apply>[0], real: Apply) => {
        sizes.push(change.changes[0]?.rows.length ?? 0);
        return real(change);
      }),
    );
    await write(log, LIMITS.projectionBatch + 3);
    const { wake, time } = start(log, store);
    await wake({});
    await time.settle();
    await write(log, 1);
    await time.pass(LIMITS.projectionPauseMs);
    expect(rows()).toEqual(upTo(LIMITS.projectionBatch + 4));
    expect(sizes).toEqual([LIMITS.projectionBatch, 3, 1]);
    expect(await wake({})).toEqual({ projection: "numbers", position: LIMITS.projectionBatch + 4 });
  });

  it("that has caught up writes together what comes within a pause", async () => {
    const log = memoryEventLog();
    const { store, rows } = memoryStore();
    const { wake, time } = start(log, store);
    await wake({});
    await write(log, 1);
    await time.settle();
    expect(rows()).toEqual([1]);
    await write(log, 2);
    await time.pass(LIMITS.projectionPauseMs - 1);
    expect(rows()).toEqual([1]);
    await time.pass(1);
    expect(rows()).toEqual([1, 2, 3]);
  });

  it("knows no position before its first look", async () => {
    const { wake } = start(memoryEventLog(), memoryStore().store);
    expect(await wake({})).toEqual({ projection: "numbers" });
  });

  it("says why it stands still, and goes on by itself", async () => {
    const log = memoryEventLog();
    await write(log, 1);
    let away = true;
    const lossy: EventLog = {
      ...log,
      async *tail(options) {
        if (away) throw new LogUnavailable("The log is not reachable");
        yield* log.tail(options);
      },
    };
    const { store, rows } = memoryStore();
    const { wake, time } = start(lossy, store);
    await wake({});
    await time.pass(1_000);
    expect(await wake({})).toEqual({
      projection: "numbers",
      position: 0,
      failure: "The log is not reachable",
    });
    away = false;
    await time.until(() => rows().length === 1);
    expect(await wake({})).toEqual({ projection: "numbers", position: 1 });
  });

  it.each([1, 2])(
    "that somebody else overtook goes on from where that one is: %i of 2 commits",
    async (to) => {
      const log = memoryEventLog();
      await write(log, 2);
      const { store, rows, faults } = memoryStore();
      faults.push(async (change, real) => {
        await real({
          ...change,
          to,
          changes: change.changes.map((one) => ({ ...one, rows: one.rows.slice(0, to) })),
        });
        return real(change);
      });
      const { wake, time } = start(log, store);
      await wake({});
      await time.settle();
      await write(log, 1);
      await time.pass(LIMITS.projectionPauseMs);
      expect(rows()).toEqual([1, 2, 3]);
    },
  );
});

describe("waiting for a position", () => {
  it("ends at once when the read model holds it", async () => {
    const log = memoryEventLog();
    await write(log, 3);
    const { wake, waitFor, time } = start(log, memoryStore().store);
    await wake({});
    await time.settle();
    expect(await waitFor({ position: 3, timeoutMs: 0 })).toBe(true);
  });

  it("wakes the projector and ends when the position is reached, not before", async () => {
    const log = memoryEventLog();
    const { waitFor, time } = start(log, memoryStore().store);
    const second = outcome(waitFor({ position: 2, timeoutMs: 1_000 }));
    await write(log, 1);
    await time.settle();
    expect(second).toEqual({});
    await write(log, 1);
    await time.pass(LIMITS.projectionPauseMs);
    expect(second).toEqual({ value: true });
  });

  it("does not miss a position that is reached while it wakes the projector", async () => {
    const log = memoryEventLog();
    const context = testActorContext({ name: "numbers" });
    let reached = () => {};
    const woken = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { set } = context.alarm;
    context.alarm.set = async (at) => {
      await set(at);
      await woken;
    };
    const { waitFor, time } = start(log, memoryStore().store, context);
    await write(log, 1);
    const waiting = outcome(waitFor({ position: 1, timeoutMs: 1_000 }));
    await time.settle();
    reached();
    await time.settle();
    expect(waiting).toEqual({ value: true });
  });

  it("ends with false after its time, and not before", async () => {
    const { waitFor, time } = start(memoryEventLog(), memoryStore().store);
    const waiting = outcome(waitFor({ position: 1, timeoutMs: 1_000 }));
    await time.pass(999);
    expect(waiting).toEqual({});
    await time.pass(1);
    expect(waiting).toEqual({ value: false });
  });

  it("never ends with true while the rows are not there, although the commits are", async () => {
    const log = memoryEventLog();
    const { store, faults } = memoryStore();
    faults.push(() => Promise.reject(new Error("database is away")));
    const { waitFor, time } = start(log, store);
    await write(log, 1);
    const waiting = outcome(waitFor({ position: 1, timeoutMs: 1_000 }));
    await time.settle();
    expect(waiting).toEqual({});
    await time.pass(500);
    expect(waiting).toEqual({ value: true });
  });
});

describe("whatever fails and whenever it dies", () => {
  it("each commit is applied exactly once, in order", async () => {
    const fault = fc.constantFrom("none", "none", "refused", "answer lost", "overtaken");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
        fc.array(fault, { maxLength: 20 }),
        fc.array(fc.nat(4_000), { maxLength: 4 }),
        async (writes, plan, lives) => {
          const log = memoryEventLog();
          const { store, rows, faults, checkpoint } = memoryStore();
          for (const kind of plan) {
            faults.push(async (change, real) => {
              if (kind === "refused") throw new Error("refused");
              const result = await real(change);
              if (kind === "answer lost") throw new Error("answer lost");
              return kind === "overtaken" ? real(change) : result;
            });
          }
          let { context, wake, time } = start(log, store);
          for (const count of writes) {
            await wake({});
            await write(log, count);
            const life = lives.shift();
            if (life === undefined) continue;
            await time.pass(life);
            context.die();
            ({ context, wake, time } = start(log, store, context.successor()));
          }
          await wake({});
          const last = await log.lastPosition();
          await time.until(() => checkpoint() === last);
          expect(rows()).toEqual(upTo(last));
        },
      ),
      { numRuns: 100 },
    );
  });
});
