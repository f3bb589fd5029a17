import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import type { RecordedEvent } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import type { Process } from "./process.ts";
import { processActor } from "./process-actor.ts";
import type { SubscriptionOptions } from "./subscription-options.ts";

const spans = recordSpans();
const refused: Result<unknown, Failure> = err({ code: "conflict", detail: "always" });
const away: Result<unknown, Failure> = err({ code: "unavailable", detail: "away" });

/** Events are named by their aggregate and version: `a/1`, `a/2`, … */
const label = (event: RecordedEvent) => `${event.id.split("-")[0]}/${event.version}`;

const writer = (log: EventLog = memoryEventLog()) => {
  const last = new Map<string, { position: number; version: number }>();
  const write = async (id: string, ...data: object[]) => {
    const { position, version } = last.get(id) ?? { position: 0, version: 0 };
    const events = (data.length > 0 ? data : [{}]).map((each) => ({ type: "Happened", data: each }));
    const appended = await log.append({
      aggregate: { type: "order", id },
      expectedPosition: position,
      expectedVersion: version,
      commandId: `${id}-${version + 1}`,
      at: 0,
      events,
      trace: {},
      metadata: id.includes(".") ? { tenant: id.slice(0, id.indexOf(".")) } : {},
    });
    if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
    last.set(id, { position: appended.value.position, version: version + events.length });
    return appended.value.position;
  };
  return { log, write };
};

const start = (
  log: EventLog,
  handle: Process["handle"],
  subscription: SubscriptionOptions = {},
  context: TestActorContext = testActorContext(),
) => {
  const actor = processActor({
    context,
    process: { name: "ship", source: "orders", handles: ["Happened"], handle, subscription },
    log,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  return { ...actor.methods, context, time: context.time };
};

const recording = (answer: (event: string, nth: number) => Result<unknown, Failure> = () => ok(null)) => {
  const calls: string[] = [];
  const handle: Process["handle"] = async (event) => {
    calls.push(label(event));
    return answer(label(event), calls.filter((call) => call === label(event)).length);
  };
  return { calls, handle };
};

describe("poisoned events", () => {
  const OTHERS = 2_000;

  it.each([
    ["are refused", refused],
    ["are refused as unavailable", away],
  ])("of more keys than one process has in hand hold up nobody else while they %s", async (_, failure) => {
    const { log, write } = writer();
    const poisoned = failure === away ? LIMITS.processBacklog / 2 : LIMITS.processBacklog * 1.2;
    for (let n = 0; n < poisoned; n++) await write(`bad${n}`);
    for (let n = 0; n < OTHERS; n++) await write(`good${n % 500}`);
    const { calls, handle } = recording((event) => (event.startsWith("bad") ? failure : ok(null)));
    const { wake, time } = start(log, handle);
    const began = time.clock();
    await wake({});
    await time.until(() => calls.filter((call) => call.startsWith("good")).length === OTHERS);
    expect(time.clock() - began).toBeLessThan(100);
    expect((await wake({})).waiting).toBe(poisoned);
  });

  it("keep those of their own key in order behind them, and all are handled once the trouble is over", async () => {
    const { log, write } = writer();
    for (let n = 0; n < 5; n++) await write("a");
    const { calls, handle } = recording((_, nth) => (nth === 1 ? refused : ok(null)));
    const { wake, time } = start(log, handle);
    await wake({});
    await time.until(() => calls.length === 10);
    expect(calls).toEqual(["a/1", "a/1", "a/2", "a/2", "a/3", "a/3", "a/4", "a/4", "a/5", "a/5"]);
  });

  it("have their attempts counted across restarts", async () => {
    const { log, write } = writer();
    await write("a");
    const { calls, handle } = recording(() => refused);
    const first = start(log, handle, { attempts: 5 });
    await first.wake({});
    await first.time.until(() => calls.length === 3);
    first.context.die();
    const second = start(log, handle, { attempts: 5 }, first.context.successor());
    await second.wake({});
    await second.time.pass(60_000);
    expect(calls).toHaveLength(5);
    expect(await second.parked({ limit: 10 })).toMatchObject([{ attempts: 5 }]);
  });

  it("stop what is taken from the log when too many keys find something unavailable, until it is back", async () => {
    const { log, write } = writer();
    for (let n = 0; n < LIMITS.processBacklog + 50; n++) await write(`a${n}`);
    let failure: Result<unknown, Failure> = away;
    const { calls, handle } = recording(() => failure);
    const { wake, time } = start(log, handle);
    await wake({});
    await time.pass(2_000);
    expect(new Set(calls).size).toBe(LIMITS.processBacklog);
    failure = ok(null);
    await time.until(() => new Set(calls).size === LIMITS.processBacklog + 50);
    await time.pass(10_000);
    expect(await wake({})).toEqual({
      process: "ship",
      following: true,
      floor: LIMITS.processBacklog + 50,
      parked: 0,
    });
  });

  it("whose attempts take long leave half of the places to what is new", async () => {
    const { log, write } = writer();
    for (let n = 0; n < 40; n++) await write(`bad${n}`);
    const context = testActorContext();
    let good = 0;
    let bad = 0;
    const handle: Process["handle"] = async (event) => {
      if (!event.id.startsWith("bad")) {
        good++;
        return ok(null);
      }
      bad++;
      await context.sleep(1_000);
      return refused;
    };
    const { wake, time } = start(log, handle, { concurrency: 4 }, context);
    await wake({});
    await time.pass(20_500);
    const before = bad;
    for (let n = 0; n < 100; n++) await write(`good${n}`);
    await time.pass(100);
    expect(good).toBe(100);
    await time.pass(2_000);
    expect(bad - before).toBe(4);
  });
});

describe("a key", () => {
  const byWarehouse: SubscriptionOptions = {
    keyOf: (event) => (event.data as { readonly warehouse: string }).warehouse,
  };

  it("that is declared keeps the order of several aggregates, and of parts of one commit", async () => {
    const { log, write } = writer();
    await write("a", { warehouse: "north" }, { warehouse: "south" });
    await write("b", { warehouse: "north" });
    await write("c", { warehouse: "south" });
    const { calls, handle } = recording((event, nth) => (event === "a/1" && nth < 3 ? refused : ok(null)));
    const { wake, time } = start(log, handle, byWarehouse);
    await wake({});
    await time.until(() => calls.includes("b/1"));
    expect(calls).toEqual(["a/1", "a/2", "c/1", "a/1", "a/1", "b/1"]);
  });

  it("is one tenant's: what fails for one holds up none of the others that have the same", async () => {
    const { log, write } = writer();
    await write("acme.a", { warehouse: "north" });
    await write("rival.b", { warehouse: "north" });
    await write("acme.c", { warehouse: "north" });
    const { calls, handle } = recording((event, nth) =>
      event === "acme.a/1" && nth < 3 ? refused : ok(null),
    );
    const { wake, time } = start(log, handle, byWarehouse);
    await wake({});
    await time.until(() => calls.includes("acme.c/1"));
    expect(calls).toEqual(["acme.a/1", "rival.b/1", "acme.a/1", "acme.a/1", "acme.c/1"]);
  });

  it("that cannot be told has that one event parked, and nothing else suffers", async () => {
    const { log, write } = writer();
    await write("a", { warehouse: "north" });
    await write("b", {});
    await write("c", { warehouse: "north" });
    const { calls, handle } = recording();
    const { wake, parked, replay, time } = start(log, handle, byWarehouse);
    await wake({});
    await time.settle();
    expect(calls).toEqual(["a/1", "c/1"]);
    expect(await parked({ limit: 10 })).toMatchObject([{ id: "b-1/0", reason: { code: "internal_error" } }]);
    expect(await replay({ id: "b-1/0" })).toEqual(ok({ id: "b-1/0" }));
  });
});

describe("what was handled and recorded", () => {
  it("is not handled again after a crash, although what is open before it comes from the floor", async () => {
    const { log, write } = writer();
    await write("open");
    for (let n = 0; n < 320; n++) await write(`a${n}`);
    const first = recording();
    const hanging: Process["handle"] = (event, ...rest) =>
      label(event) === "open/1" ? new Promise(() => undefined) : first.handle(event, ...rest);
    const before = start(log, hanging);
    await before.wake({});
    await before.time.until(() => first.calls.length === 320);
    before.context.die();
    const second = recording();
    const after = start(log, second.handle, {}, before.context.successor());
    await after.wake({});
    await after.time.pass(LIMITS.pumpMs * 2);
    expect(second.calls).toEqual(["open/1"]);
    expect(await after.wake({})).toMatchObject({ floor: 321 });
  });
});

describe("with `whenParked: wait`", () => {
  const options: SubscriptionOptions = { whenParked: "wait", attempts: 2 };

  const parkFirst = async () => {
    const { log, write } = writer();
    for (const id of ["a", "b", "a", "a"]) await write(id);
    let failure: Result<unknown, Failure> = refused;
    const { calls, handle } = recording((event) => (event === "a/1" ? failure : ok(null)));
    const actor = start(log, handle, options);
    await actor.wake({});
    await actor.time.pass(10_000);
    const mend = () => {
      failure = ok(null);
    };
    return { ...actor, write, calls, mend };
  };

  it("later events of a parked one's key are parked behind it, those of others go on", async () => {
    const { calls, parked, write, time } = await parkFirst();
    await write("a");
    await write("b");
    await time.pass(1_000);
    expect(calls).toEqual(["a/1", "b/1", "a/1", "b/2"]);
    const { items } = { items: await parked({ limit: 10 }) };
    expect(items.map(({ id, reason, attempts }) => [id, reason.code, attempts])).toEqual([
      ["a-1/0", "conflict", 2],
      ["a-2/0", "parked_behind", 0],
      ["a-3/0", "parked_behind", 0],
      ["a-4/0", "parked_behind", 0],
    ]);
  });

  it("they follow a replay of the first in order, and none of them can be replayed before", async () => {
    const { calls, replay, wake, mend, time } = await parkFirst();
    expect(await replay({ id: "a-2/0" })).toMatchObject({ error: { code: "replay_failed" } });
    mend();
    expect(await replay({ id: "a-1/0" })).toEqual(ok({ id: "a-1/0" }));
    await time.pass(1_000);
    expect(calls.slice(-3)).toEqual(["a/1", "a/2", "a/3"]);
    expect(await wake({})).toMatchObject({ parked: 0, floor: 4 });
  });

  it("they follow when the first is dropped, whose reason stands on a span", async () => {
    const { calls, drop, wake, time } = await parkFirst();
    spans.take();
    expect(await drop({ id: "a-1/0", reason: "settled by hand" })).toEqual(ok({ id: "a-1/0" }));
    const [span] = spans.take();
    expect(span?.name).toBe("drop log-orders");
    expect(span?.attributes).toMatchObject({
      "skerry.drop.reason": "settled by hand",
      "messaging.message.id": "a-1/0",
    });
    await time.pass(1_000);
    expect(calls.slice(-2)).toEqual(["a/2", "a/3"]);
    expect(await wake({})).toMatchObject({ parked: 0 });
    expect(await drop({ id: "a-1/0", reason: "again" })).toMatchObject({ error: { code: "not_found" } });
  });

  it("they wait behind it across a restart", async () => {
    const { context, calls, log } = await (async () => {
      const written = writer();
      await written.write("a");
      const { calls, handle } = recording(() => refused);
      const actor = start(written.log, handle, options);
      await actor.wake({});
      await actor.time.pass(10_000);
      actor.context.die();
      await written.write("a");
      return { context: actor.context.successor(), calls, log: written.log };
    })();
    const second = recording();
    const actor = start(log, second.handle, options, context);
    await actor.wake({});
    await actor.time.pass(1_000);
    expect([calls.length, second.calls]).toEqual([2, []]);
    expect(await actor.wake({})).toMatchObject({ parked: 2 });
  });

  it("every event is handled in its key's order or parked, whatever fails and whenever it dies", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 20 }),
        fc.array(fc.constantFrom("ok", "ok", "refused", "unavailable"), { maxLength: 40 }),
        fc.array(fc.nat(2_000), { maxLength: 3 }),
        async (commits, plan, lives) => {
          const { log, write } = writer();
          for (const id of commits) await write(id);
          const queue = [...plan];
          const effects: string[] = [];
          const handle: Process["handle"] = async (event) => {
            const kind = queue.shift() ?? "ok";
            if (kind === "refused") return refused;
            if (kind === "unavailable") return away;
            effects.push(label(event));
            return ok(null);
          };
          let actor = start(log, handle, options);
          for (const life of lives) {
            await actor.wake({});
            await actor.time.pass(life);
            actor.context.die();
            actor = start(log, handle, options, actor.context.successor());
          }
          await actor.wake({});
          await actor.time.pass(LIMITS.pumpMs * 3);
          queue.length = 0;
          for (let first = (await actor.parked({ limit: 1 }))[0]; first; ) {
            expect(await actor.replay({ id: first.id })).toMatchObject({ ok: true });
            await actor.time.pass(10_000);
            first = (await actor.parked({ limit: 1 }))[0];
          }
          for (const id of new Set(commits)) {
            const own = effects.filter((effect) => effect.startsWith(`${id}/`));
            const expected = commits.filter((other) => other === id).map((_, index) => `${id}/${index + 1}`);
            expect([...new Set(own)]).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("a new subscription", () => {
  const following = async (from: NonNullable<SubscriptionOptions["from"]>) => {
    const { log, write } = writer();
    for (let n = 0; n < 3; n++) await write("a");
    const { calls, handle } = recording();
    const { wake, time, context } = start(log, handle, { from });
    await wake({});
    await time.settle();
    context.die();
    const before = [...calls];
    await write("a");
    const second = recording();
    const again = start(log, second.handle, { from }, context.successor());
    await again.wake({});
    await again.time.pass(LIMITS.pumpMs * 2);
    return [...before, ...second.calls];
  };

  it("begins where it says: at the beginning, now, or at a position; and only once", async () => {
    expect(await following("beginning")).toEqual(["a/1", "a/2", "a/3", "a/4"]);
    expect(await following("now")).toEqual(["a/4"]);
    expect(await following(2)).toEqual(["a/2", "a/3", "a/4"]);
  });

  it("refuses options beyond their bounds", () => {
    const handle = recording().handle;
    for (const options of [{ attempts: 0 }, { concurrency: 1_000 }, { backoff: { firstMs: 5, mostMs: 4 } }]) {
      expect(() => start(memoryEventLog(), handle, options)).toThrow(RangeError);
    }
  });
});

describe("a paused subscription", () => {
  it("handles nothing, across a restart, is no failure, and goes on where it was when it is resumed", async () => {
    const { log, write } = writer();
    await write("a");
    const { calls, handle } = recording();
    const first = start(log, handle);
    await first.wake({});
    await first.time.settle();
    const since = new Date(first.time.clock()).toISOString();
    expect(await first.pause({})).toMatchObject({ paused: since, floor: 1 });
    await first.time.pass(1_000);
    await write("a");
    await first.time.pass(LIMITS.pumpMs * 2);
    first.context.die();
    const second = start(log, handle, {}, first.context.successor());
    await second.wake({});
    await second.time.pass(LIMITS.pumpMs * 2);
    expect(calls).toEqual(["a/1"]);
    const details = await second.details({});
    expect(details).toMatchObject({ paused: since, newest: 2, behindCommits: 1 });
    expect(details).not.toHaveProperty("failure");
    expect(details.behindSeconds).toBeGreaterThan(100);
    expect(await second.resume({})).not.toHaveProperty("paused");
    await second.time.pass(1);
    expect(calls).toEqual(["a/1", "a/2"]);
  });

  it("does not begin what was taken before, and forgets none of it", async () => {
    const { log, write } = writer();
    for (let n = 0; n < 5; n++) await write("a");
    const context = testActorContext();
    const calls: string[] = [];
    const handle: Process["handle"] = async (event) => {
      calls.push(label(event));
      await context.sleep(1_000);
      return ok(null);
    };
    const { wake, pause, resume, time } = start(log, handle, {}, context);
    await wake({});
    await time.pass(1_500);
    await pause({});
    await time.pass(60_000);
    expect(calls).toEqual(["a/1", "a/2"]);
    await resume({});
    await time.pass(10_000);
    expect(calls).toEqual(["a/1", "a/2", "a/3", "a/4", "a/5"]);
  });
});

describe("a replay of the log", () => {
  it("handles everything from a position again, also what waits there, and comes to its end", async () => {
    const { log, write } = writer();
    for (const id of ["a", "b", "a", "b"]) await write(id);
    const { calls, handle } = recording();
    const { wake, replayFrom, time } = start(log, handle);
    await wake({});
    await time.settle();
    const asked = await replayFrom({ position: 3 });
    expect(asked).toMatchObject({ value: { floor: 2 } });
    await time.settle();
    expect(calls).toEqual(["a/1", "b/1", "a/2", "b/2", "a/2", "b/2"]);
    expect(await wake({})).toMatchObject({ floor: 4 });
  });

  it("begins at a time", async () => {
    const context = testActorContext();
    const { log, write } = writer(memoryEventLog(context.time.clock));
    await write("a");
    await context.time.pass(1_000);
    const from = context.time.clock();
    await write("a");
    const { calls, handle } = recording();
    const { wake, replayFrom, time } = start(log, handle, {}, context);
    await wake({});
    await time.settle();
    await replayFrom({ time: from });
    await time.settle();
    expect(calls).toEqual(["a/1", "a/2", "a/2"]);
  });

  it("is not lost when it is asked for in the middle of work, or just before a crash", async () => {
    const { log, write } = writer();
    for (let n = 0; n < 3; n++) await write("a");
    const context = testActorContext();
    const calls: string[] = [];
    const handle: Process["handle"] = async (event) => {
      calls.push(label(event));
      await context.sleep(1_000);
      return ok(null);
    };
    const first = start(log, handle, {}, context);
    await first.wake({});
    await first.time.pass(1_500);
    await first.replayFrom({ position: 1 });
    context.die();
    const second = recording();
    const after = start(log, second.handle, {}, context.successor());
    await after.wake({});
    await after.time.pass(LIMITS.pumpMs * 2);
    expect(calls).toEqual(["a/1", "a/2"]);
    expect(second.calls).toEqual(["a/1", "a/2", "a/3"]);
  });

  it("takes out of the parking what is handled by it", async () => {
    const { log, write } = writer();
    await write("a");
    await write("a");
    let failure: Result<unknown, Failure> = refused;
    const { handle } = recording((event) => (event === "a/1" ? failure : ok(null)));
    const { wake, replayFrom, time } = start(log, handle);
    await wake({});
    await time.pass(20_000);
    expect(await wake({})).toMatchObject({ parked: 1 });
    failure = ok(null);
    await replayFrom({ position: 1 });
    await time.pass(1_000);
    expect(await wake({})).toMatchObject({ parked: 0, floor: 2 });
  });
});

describe("a parking of before there were keys", () => {
  it("is taken over, with the floor beside it", async () => {
    const { log, write } = writer();
    await write("a");
    await write("b");
    const context = testActorContext();
    const commit = (await log.read({ type: "order", id: "a" }))[0];
    context.sql.exec("CREATE TABLE floor (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL)");
    context.sql.exec("INSERT INTO floor (id, position) VALUES (1, 1)");
    context.sql.exec(
      "CREATE TABLE parked (id TEXT PRIMARY KEY, position INTEGER NOT NULL, event TEXT NOT NULL, commit_json TEXT NOT NULL) WITHOUT ROWID",
    );
    const event = {
      id: "a-1/0",
      process: "ship",
      aggregateId: "a",
      position: 1,
      reason: { code: "conflict" },
    };
    context.sql.exec(
      "INSERT INTO parked VALUES (?, ?, ?, ?)",
      event.id,
      1,
      JSON.stringify(event),
      JSON.stringify(commit),
    );
    const { calls, handle } = recording();
    const { wake, parkedEvent, replay, time } = start(log, handle, { whenParked: "wait" }, context);
    await wake({});
    await time.settle();
    expect(calls).toEqual(["b/1"]);
    expect(await parkedEvent({ id: "a-1/0" })).toMatchObject({ key: "a", event: { type: "Happened" } });
    expect(await replay({ id: "a-1/0" })).toEqual(ok({ id: "a-1/0" }));
  });
});
