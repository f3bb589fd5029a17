import { SpanStatusCode } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import type { RecordedEvent } from "../events/event.ts";
import { type EventLog, LogUnavailable } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import type { Process } from "./process.ts";
import { processActor } from "./process-actor.ts";

const spans = recordSpans();

const TRACE = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

type Handle = Process["handle"];

/** A log whose aggregates each get events numbered from 1: `a/1`, `a/2`, … */
const writer = (log: EventLog = memoryEventLog()) => {
  const last = new Map<string, { position: number; version: number }>();
  const write = async (id: string, ...types: string[]) => {
    const { position, version } = last.get(id) ?? { position: 0, version: 0 };
    const appended = await log.append({
      aggregate: { type: "order", id },
      expectedPosition: position,
      expectedVersion: version,
      commandId: `${id}-${version + 1}`,
      at: 0,
      events: (types.length > 0 ? types : ["Happened"]).map((type) => ({ type, data: {} })),
      trace: TRACE,
    });
    if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
    last.set(id, {
      position: appended.value.position,
      version: version + Math.max(types.length, 1),
    });
    return appended.value.position;
  };
  return { log, write };
};

const label = (event: RecordedEvent) => `${event.id.split("-")[0]}/${event.version}`;

const start = (log: EventLog, handle: Handle, context: TestActorContext = testActorContext()) => {
  const actor = processActor({
    context,
    process: { name: "ship", source: "orders", handles: ["Happened"], handle },
    log,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  return { ...actor.methods, context, time: context.time };
};

const refused: Result<unknown, Failure> = err({ code: "conflict", detail: "always" });

/** Notes what it was asked to handle; answers by the event's label. */
const recording = (answer: (event: string, calls: number) => ReturnType<Handle> = async () => ok(null)) => {
  const calls: string[] = [];
  const handle: Handle = (event) => {
    calls.push(label(event));
    return answer(label(event), calls.filter((call) => call === label(event)).length);
  };
  return { calls, handle };
};

describe("a process", () => {
  it("handles every event of the log, those of one aggregate in order", async () => {
    const { log, write } = writer();
    for (const id of ["a", "b", "a", "c", "a", "b"]) await write(id);
    const { calls, handle } = recording();
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    const of = (id: string) => calls.filter((call) => call.startsWith(id));
    expect([of("a"), of("b"), of("c")]).toEqual([["a/1", "a/2", "a/3"], ["b/1", "b/2"], ["c/1"]]);
  });

  it("handles the events of one commit in order", async () => {
    const { log, write } = writer();
    await write("a", "Happened", "Happened", "Happened");
    const { calls, handle } = recording(async (event, nth) =>
      event === "a/2" && nth < 3 ? refused : ok(null),
    );
    const { wake, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.includes("a/3"));
    expect(calls).toEqual(["a/1", "a/2", "a/2", "a/2", "a/3"]);
  });

  it("lets events that it does not handle pass by", async () => {
    const { log, write } = writer();
    await write("a", "Ignored", "Happened");
    await write("a", "Ignored");
    const { calls, handle } = recording();
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    expect(calls).toEqual(["a/2"]);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 2, parked: 0 });
  });

  it("handles what comes while it follows", async () => {
    const { log, write } = writer();
    const { calls, handle } = recording();
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    await write("a");
    await time.settle();
    expect(calls).toEqual(["a/1"]);
  });

  it("handles different aggregates side by side, a bounded number at once", async () => {
    const { log, write } = writer();
    for (let n = 0; n < LIMITS.processConcurrency * 2; n++) await write(`a${n}`);
    const gate = Promise.withResolvers<void>();
    const { calls, handle } = recording(() => gate.promise.then(() => ok(null)));
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    expect(calls).toHaveLength(LIMITS.processConcurrency);
    gate.resolve();
    await time.settle();
    expect(calls).toHaveLength(LIMITS.processConcurrency * 2);
  });

  it("gives its place to others while it waits for the next attempt", async () => {
    const { log, write } = writer();
    for (let n = 0; n < LIMITS.processConcurrency; n++) await write(`bad${n}`);
    await write("good");
    const { calls, handle } = recording(async (event) => (event.startsWith("bad") ? refused : ok(null)));
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    expect(calls.at(-1)).toBe("good/1");
  });

  it("takes a bounded number of commits ahead, and goes on when some are finished", async () => {
    const { log, write } = writer();
    for (let n = 0; n < LIMITS.processBacklog; n++) await write("stuck");
    await write("next");
    const gate = Promise.withResolvers<void>();
    const { calls, handle } = recording((event) =>
      event.startsWith("stuck") ? gate.promise.then(() => ok(null)) : Promise.resolve(ok(null)),
    );
    const { wake, time } = start(log, handle);
    await wake({});
    await time.settle();
    expect(calls).toEqual(["stuck/1"]);
    gate.resolve();
    await time.settle();
    expect(calls).toContain("next/1");
    expect(calls).toHaveLength(LIMITS.processBacklog + 1);
  });
});

describe("an event that cannot be handled", () => {
  it("is parked after its last attempt, with the reason and its trace; others are not affected", async () => {
    const { log, write } = writer();
    await write("bad");
    await write("good");
    await write("bad");
    const { calls, handle } = recording(async (event) => (event === "bad/1" ? refused : ok(null)));
    const { wake, parked, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.includes("bad/2"));
    expect(calls.filter((call) => call === "bad/1")).toHaveLength(LIMITS.processAttempts);
    expect(calls.indexOf("good/1")).toBe(1);
    expect(await parked({ limit: 100 })).toEqual([
      {
        id: "bad-1/0",
        process: "ship",
        source: "orders",
        position: 1,
        aggregateId: "bad",
        key: "bad",
        type: "Happened",
        reason: { code: "conflict", detail: "always" },
        attempts: LIMITS.processAttempts,
        parkedAt: new Date(time.clock()).toISOString(),
        ...TRACE,
      },
    ]);
    expect(await wake({})).toMatchObject({ floor: 3, parked: 1 });
  });

  it("is parked after its last attempt also when a busy log ends slice after slice meanwhile", async () => {
    const { log, write } = writer();
    await write("bad");
    for (let n = 0; n < LIMITS.pumpSteps * 10; n++) await write(`a${n}`);
    const context = testActorContext();
    const called = { bad: 0, others: 0 };
    const handle: Handle = async (event) => {
      if (label(event) === "bad/1") {
        called.bad++;
        return refused;
      }
      called.others++;
      await context.sleep(15);
      return ok(null);
    };
    const { wake, parked, time } = start(log, handle, context);
    await wake({});
    await time.until(() => called.others > LIMITS.pumpSteps * 9.5);
    expect(called.bad).toBe(LIMITS.processAttempts);
    expect(await parked({ limit: 10 })).toMatchObject([{ attempts: LIMITS.processAttempts }]);
  });

  it("because a handler throws counts as a failed attempt", async () => {
    const { log, write } = writer();
    await write("bad");
    const { calls, handle } = recording(() => {
      throw new TypeError("no such thing");
    });
    const { wake, parked, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.length === LIMITS.processAttempts);
    expect(await parked({ limit: 100 })).toMatchObject([{ reason: { code: "internal_error" } }]);
  });

  it("because something is unavailable is tried for as long as that lasts, and never parked", async () => {
    const { log, write } = writer();
    await write("a");
    const { calls, handle } = recording(async (_, nth) =>
      nth <= 50 ? err({ code: "unavailable", detail: "away" }) : ok(null),
    );
    const { wake, parked, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.length === 51);
    await time.settle();
    expect(await parked({ limit: 100 })).toEqual([]);
    expect(await wake({})).toMatchObject({ floor: 1, parked: 0 });
  });

  it("leaves the parking only when a replay succeeds", async () => {
    const { log, write } = writer();
    await write("bad");
    let answer: Result<unknown, Failure> = refused;
    const { calls, handle } = recording(async () => answer);
    const { wake, parked, replay, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.length === LIMITS.processAttempts);
    expect(await replay({ id: "bad-1/0" })).toEqual(
      err({ code: "replay_failed", detail: 'Replaying "bad-1/0": conflict, always' }),
    );
    expect(await parked({ limit: 100 })).toHaveLength(1);
    answer = ok(null);
    expect(await replay({ id: "bad-1/0" })).toEqual(ok({ id: "bad-1/0" }));
    expect(await parked({ limit: 100 })).toEqual([]);
    expect(await replay({ id: "bad-1/0" })).toMatchObject({ error: { code: "not_found" } });
  });

  it("stays parked across a restart, and can be replayed after it", async () => {
    const { log, write } = writer();
    await write("bad");
    const { calls, handle } = recording(async () => refused);
    const first = start(log, handle);
    await first.wake({});
    await first.time.until(() => calls.length === LIMITS.processAttempts);
    first.context.die();
    const second = start(log, recording().handle, first.context.successor());
    expect(await second.replay({ id: "bad-1/0" })).toEqual(ok({ id: "bad-1/0" }));
  });
});

describe("an event that was parked while an earlier one held the floor back", () => {
  const away = err({ code: "unavailable", detail: "away" });

  it("is not tried again when it comes again after a crash, and is gone once it was replayed", async () => {
    const { log, write } = writer();
    await write("stuck");
    await write("bad");
    const first = recording(async (event) => (event === "bad/1" ? refused : away));
    const before = start(log, first.handle);
    await before.wake({});
    await before.time.until(() => first.calls.filter((call) => call === "bad/1").length === 6);
    before.context.die();
    const second = recording(async (event) => (event === "bad/1" ? refused : ok(null)));
    const after = start(log, second.handle, before.context.successor());
    await after.wake({});
    await after.time.pass(LIMITS.pumpMs);
    expect(second.calls).toEqual(["stuck/1"]);
    expect(await after.wake({})).toMatchObject({ floor: 2, parked: 1 });
  });

  it("leaves others to be handled once, over more slices than one", async () => {
    const { log, write } = writer();
    await write("stuck");
    for (let n = 0; n < LIMITS.pumpSteps * 1.5; n++) await write(`a${n}`);
    const { calls, handle } = recording(async (event) => (event === "stuck/1" ? away : ok(null)));
    const { wake, time } = start(log, handle);
    await wake({});
    await time.pass(LIMITS.pumpMs);
    const others = calls.filter((call) => call !== "stuck/1");
    expect(others).toHaveLength(LIMITS.pumpSteps * 1.5);
    expect(new Set(others).size).toBe(others.length);
  });
});

describe("an Actor that cannot write", () => {
  /** Its storage is full for one kind of statement until it is made room. */
  const fullFor = (statement: string) => {
    const context = testActorContext();
    let full = true;
    const exec: TestActorContext["sql"]["exec"] = (sql, ...params) => {
      if (full && sql.startsWith(statement)) throw new Error("database or disk is full");
      return context.sql.exec(sql, ...params);
    };
    return {
      context: { ...context, sql: { ...context.sql, exec } },
      makeRoom: () => {
        full = false;
      },
    };
  };

  it("to its parking says so, handles nothing out of order, and goes on when it can", async () => {
    const { log, write } = writer();
    await write("bad");
    await write("bad");
    const { calls, handle } = recording(async (event) => (event === "bad/1" ? refused : ok(null)));
    const { context, makeRoom } = fullFor("INSERT OR REPLACE INTO parked");
    const { wake, parked, time } = start(log, handle, context);
    await wake({});
    await time.until(() => calls.length === LIMITS.processAttempts);
    expect(await wake({})).toMatchObject({ failure: "database or disk is full", parked: 0, waiting: 2 });
    expect(calls).not.toContain("bad/2");
    makeRoom();
    await time.until(() => calls.includes("bad/2"));
    expect(await parked({ limit: 10 })).toMatchObject([{ id: "bad-1/0" }]);
  });

  it("its floor says so, and goes on when it can", async () => {
    const { log, write } = writer();
    await write("a");
    const { handle } = recording();
    const { context, makeRoom } = fullFor("UPDATE place SET floor");
    const { wake, time } = start(log, handle, context);
    await wake({});
    await time.settle();
    expect(await wake({})).toMatchObject({ failure: "database or disk is full", floor: 0 });
    makeRoom();
    await time.pass(10_000);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 1, parked: 0 });
  });
});

describe("a step of a process in its trace", () => {
  it("tells the log that it consumes, and that it failed", async () => {
    const { log, write } = writer();
    await write("a");
    const { handle } = recording(async (_, nth) => (nth === 1 ? refused : ok(null)));
    const { wake, time } = start(log, handle);
    spans.take();
    await wake({});
    await time.pass(1_000);
    const [failed, done] = spans.take();
    expect(failed?.name).toBe("process log-orders");
    expect(failed?.attributes).toMatchObject({
      "messaging.destination.name": "log-orders",
      "messaging.consumer.group.name": "ship",
      "skerry.aggregate.id": "a",
      "error.type": "conflict",
    });
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR, message: "always" });
    expect(done?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it("holds what a handler threw, of which the parking tells nothing", async () => {
    const { log, write } = writer();
    await write("bad");
    const { calls, handle } = recording(async () => Promise.reject(new Error("secret inside")));
    const { wake, parked, time } = start(log, handle);
    spans.take();
    await wake({});
    await time.until(() => calls.length === LIMITS.processAttempts);
    expect(JSON.stringify(await parked({ limit: 10 }))).not.toContain("secret");
    expect(spans.take()[0]?.status).toEqual({ code: SpanStatusCode.ERROR, message: "secret inside" });
  });
});

describe("what was interrupted", () => {
  it("by the end of a slice comes again before what follows it on its aggregate", async () => {
    const { log, write } = writer();
    await write("a");
    await write("a");
    const { calls, handle } = recording(async (event, nth) =>
      event === "a/1" && nth <= 40 ? err({ code: "unavailable", detail: "away" }) : ok(null),
    );
    const { wake, time } = start(log, handle);
    const began = time.clock();
    await wake({});
    await time.until(() => calls.includes("a/2"));
    expect(time.clock() - began).toBeGreaterThan(LIMITS.pumpMs);
    expect(calls).toEqual([...Array(41).fill("a/1"), "a/2"]);
  });

  it("by the end of a slice while it is being handled is waited for, and not begun a second time", async () => {
    const { log, write } = writer();
    const context = testActorContext();
    const { calls, handle } = recording(() => context.sleep(5_000).then(() => ok(null)));
    const { wake, time } = start(log, handle, context);
    await wake({});
    await time.pass(LIMITS.pumpMs - 1_000);
    await write("a");
    await write("a");
    await time.until(() => calls.includes("a/2"));
    expect(calls).toEqual(["a/1", "a/2"]);
  });

  it("by a crash comes back after the restart, in order, and what was finished in a row does not", async () => {
    const { log, write } = writer();
    for (let n = 0; n < 3; n++) await write("done");
    for (const id of ["a", "b", "a"]) await write(id);
    const hanging = recording((event) =>
      event.startsWith("a") ? new Promise(() => undefined) : Promise.resolve(ok(null)),
    );
    const first = start(log, hanging.handle);
    await first.wake({});
    await first.time.settle();
    // The floor is written when nothing is under way or after 64 finished commits.
    for (let n = 0; n < 64; n++) await write("c");
    await first.time.settle();
    first.context.die();
    const { calls, handle } = recording();
    const second = start(log, handle, first.context.successor());
    expect(await second.wake({})).toMatchObject({ floor: 3, following: false });
    await second.time.settle();
    expect(calls.filter((call) => call.startsWith("done"))).toEqual([]);
    expect(calls.filter((call) => call.startsWith("a"))).toEqual(["a/1", "a/2"]);
    expect(await second.wake({})).toMatchObject({ floor: 70, parked: 0 });
  });

  it("by the loss of the log goes on by itself when it is back, and says why it stood still", async () => {
    const { log, write } = writer();
    await write("a");
    let away = true;
    const lossy: EventLog = {
      ...log,
      async *tail(options) {
        if (away) throw new LogUnavailable("The log is not reachable");
        yield* log.tail(options);
      },
    };
    const { calls, handle } = recording();
    const { wake, time } = start(lossy, handle);
    await wake({});
    await time.pass(1_000);
    expect(await wake({})).toMatchObject({ failure: "The log is not reachable", floor: 0 });
    away = false;
    await time.until(() => calls.length === 1);
    expect(await wake({})).toEqual({ process: "ship", following: true, floor: 1, parked: 0 });
  });
});

describe("whatever fails and whenever it dies", () => {
  const aggregate = fc.constantFrom("a", "b", "c", "d");
  const outcome = fc.constantFrom(
    "ok",
    "ok",
    "ok",
    "refused",
    "unavailable",
    "throws",
    "done, then unavailable",
  );

  it("every event is handled or parked, each first effect after those before it on its aggregate", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aggregate, { minLength: 1, maxLength: 30 }),
        fc.array(outcome, { maxLength: 60 }),
        fc.array(fc.nat(LIMITS.pumpMs * 1.2), { maxLength: 4 }),
        async (commits, plan, lives) => {
          const { log, write } = writer();
          for (const id of commits) await write(id);
          const queue = [...plan];
          const effects: string[] = [];
          let context = testActorContext();
          const { time } = context;
          const begin = () => {
            const mine = context;
            return start(
              log,
              async (event) => {
                const kind = queue.shift() ?? "ok";
                await mine.sleep(event.version % 3);
                if (!mine.alive()) return new Promise(() => undefined);
                if (kind === "throws") throw new Error("thrown");
                if (kind === "refused") return refused;
                if (kind === "unavailable") return err({ code: "unavailable", detail: "away" });
                if (!effects.includes(label(event))) effects.push(label(event));
                return kind === "ok" ? ok(null) : err({ code: "unavailable", detail: "answer lost" });
              },
              mine,
            );
          };
          let process = begin();
          for (const life of lives) {
            await process.wake({});
            await time.pass(life);
            context.die();
            context = context.successor();
            process = begin();
          }
          await process.wake({});
          for (let done = false; !done; ) {
            await time.pass(1_000);
            const { floor, waiting } = await process.wake({});
            done = floor === commits.length && waiting === undefined;
          }
          const parked = (await process.parked({ limit: 100 })).map(({ id }) =>
            id.replace(/-(\d+)\/0$/, "/$1"),
          );
          for (const id of new Set(commits)) {
            const expected = commits.filter((other) => other === id).map((_, index) => `${id}/${index + 1}`);
            const own = effects.filter((effect) => effect.startsWith(`${id}/`));
            const lost = expected.filter((event) => !own.includes(event));
            expect(lost.filter((event) => !parked.includes(event))).toEqual([]);
            expect(own).toEqual(expected.filter((event) => own.includes(event)));
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
