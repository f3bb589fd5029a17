import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import type { Commit, DomainEvent } from "../events/event.ts";
import { type Append, type EventLog, LogUnavailable } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { LIMITS } from "../limits.ts";
import { err, ok } from "../result.ts";
import type { Aggregate } from "./aggregate.ts";
import { type CommandRequest, commandActor, type Executed, type Execution } from "./command-actor.ts";
import type { FoldBounds } from "./folded-states.ts";

type Added = { type: "Added"; data: { amount: number; to: number } };
type Add = { add: number; least?: number; most?: number };

/** A counter that says what it came to, so that a decision on an old state shows. */
const counter: Aggregate<number, Add, Added> = {
  type: "counter",
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data.amount,
  decide: ({ add, least = 0, most = Number.POSITIVE_INFINITY }, sum) => {
    if (sum < least)
      return err({ code: "too_little", detail: `Adding to ${sum}, expected at least ${least}` });
    if (sum + add > most)
      return err({ code: "too_much", detail: `Adding "${add}" to ${sum}, expected at most ${most}` });
    return ok(add === 0 ? [] : [{ type: "Added", data: { amount: add, to: sum + add } }]);
  },
};
const aggregates = { counter: counter as unknown as Aggregate<unknown, object, DomainEvent> };

const add = (commandId: string, amount: number, over: Partial<CommandRequest> = {}): CommandRequest => ({
  type: "counter",
  id: "a",
  commandId,
  command: { add: amount },
  ...over,
});

type Fault = (append: Append, log: EventLog) => ReturnType<EventLog["append"]>;

const lostAnswer: Fault = async (append, log) => {
  await log.append(append);
  return err({ code: "unavailable", detail: "no answer" });
};
const refusedBeforeWriting: Fault = async () => err({ code: "unavailable", detail: "not reachable" });
const writtenAndAnsweredAsDuplicate: Fault = async (append, log) => {
  await log.append(append);
  return log.append(append);
};
const competitor =
  (commandId: string, amount = 100): Fault =>
  async (append, log) => {
    await appendDirectly(log, commandId, amount);
    return log.append(append);
  };

/** Another writer, who knows the log as it is now. */
const appendDirectly = async (log: EventLog, commandId: string, amount: number, id = "a") => {
  const commits = await log.read({ type: "counter", id });
  const last = commits.at(-1);
  const sum = commits.flatMap(({ events }) => events as unknown as Added[]).at(-1)?.data.to ?? 0;
  await log.append({
    aggregate: { type: "counter", id },
    expectedPosition: last?.position ?? 0,
    expectedVersion: last?.events.at(-1)?.version ?? 0,
    commandId,
    at: 0,
    events: [{ type: "Added", data: { amount, to: sum + amount } }],
    trace: {},
  });
};

const setUp = ({
  log = memoryEventLog(),
  context = testActorContext(),
  readMs = 0,
  bounds = LIMITS as FoldBounds,
} = {}) => {
  const faults: Fault[] = [];
  const seen = { appends: 0, reads: 0, away: false, read: [] as Commit[], untils: [] as unknown[] };
  const faulty: EventLog = {
    ...log,
    append(append, until) {
      seen.appends++;
      seen.untils.push(until);
      return (faults.shift() ?? ((it, real) => real.append(it)))(append, log);
    },
    async read(aggregate, options) {
      seen.reads++;
      seen.untils.push(options?.until);
      if (seen.away) throw new LogUnavailable("The log is not reachable");
      if (readMs > 0) await context.time.sleep(readMs);
      const commits = await log.read(aggregate, options);
      seen.read.push(...commits);
      return commits;
    },
  };
  const { methods } = commandActor({
    context,
    log: faulty,
    aggregates,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
    bounds,
  });
  const commits = (id = "a") => log.read({ type: "counter", id });
  return { ...methods, log, context, faults, seen, commits };
};

const value = (execution: Execution): Executed => {
  if (!execution.ok) throw new Error(`Refused: ${execution.error.code} ${execution.error.detail}`);
  return execution.value;
};
const amounts = (executed: Executed) => executed.events.map(({ data }) => (data as Added["data"]).to);

describe("a command", () => {
  it("answers where it stands in the log and what it recorded", async () => {
    const { execute, commits, log } = setUp();
    const executed = value(await execute(add("c1", 5)));
    expect(executed).toEqual({ position: 1, duplicate: false, events: (await commits())[0]?.events });
    expect(executed.events).toEqual([
      {
        type: "Added",
        data: { amount: 5, to: 5 },
        id: "c1/0",
        time: "2026-01-31T12:00:00.000Z",
        version: 1,
      },
    ]);
    expect(await log.lastPosition()).toBe(1);
  });

  it("decides on everything recorded before it", async () => {
    const { execute } = setUp();
    await execute(add("c1", 5));
    expect(amounts(value(await execute(add("c2", 2))))).toEqual([7]);
  });

  it("writes nothing when the domain refuses it", async () => {
    const { execute, log } = setUp();
    expect(await execute(add("c1", 5, { command: { add: 5, most: 4 } }))).toMatchObject({
      ok: false,
      error: { code: "too_much" },
    });
    expect(await log.lastPosition()).toBe(0);
  });

  it("that changes nothing is a success at the aggregate's last position", async () => {
    const { execute, log } = setUp();
    await execute(add("c1", 5));
    expect(await execute(add("c2", 0))).toEqual(ok({ position: 1, events: [], duplicate: false }));
    expect(await log.lastPosition()).toBe(1);
  });

  it("to an unknown kind of aggregate is a defect of the caller", async () => {
    const { execute } = setUp();
    await expect(execute(add("c1", 5, { type: "clock" }))).rejects.toThrow('"clock": no such aggregate');
  });

  it("larger than the log takes is refused as too large", async () => {
    const { execute, faults } = setUp();
    faults.push(async () => err({ code: "too_large", detail: "2 MB" }));
    expect(await execute(add("c1", 5))).toEqual(err({ code: "body_too_large", detail: "2 MB" }));
  });
});

describe("a repeated command id", () => {
  it("gets the first outcome, and one commit stands", async () => {
    const { execute, commits } = setUp();
    const first = value(await execute(add("c1", 5)));
    await execute(add("c2", 1));
    expect(await execute(add("c1", 5))).toEqual(ok({ ...first, duplicate: true }));
    expect(await commits()).toHaveLength(2);
  });

  it("at the same time gets the first outcome too", async () => {
    const { execute, commits } = setUp();
    const all = await Promise.all(Array.from({ length: 10 }, () => execute(add("c1", 5))));
    expect(all.map((each) => value(each).position)).toEqual(Array(10).fill(1));
    expect(all.filter((each) => !value(each).duplicate)).toHaveLength(1);
    expect(await commits()).toHaveLength(1);
  });

  it("is told apart on another aggregate", async () => {
    const { execute, commits } = setUp();
    await execute(add("c1", 5));
    expect(value(await execute(add("c1", 7, { id: "b" }))).duplicate).toBe(false);
    expect(await commits("b")).toHaveLength(1);
  });

  it("gets the first outcome from an Actor that knows nothing but the log", async () => {
    const { execute, log } = setUp();
    const first = value(await execute(add("c1", 5)));
    const other = setUp({ log });
    expect(await other.execute(add("c1", 5, { isNew: true }))).toEqual(ok({ ...first, duplicate: true }));
  });

  it("older than the ids that are remembered still gets the first outcome", async () => {
    const { execute, log } = setUp();
    const first = value(await execute(add("c0", 5)));
    for (let n = 1; n <= LIMITS.rememberedCommands; n++) await execute(add(`c${n}`, 1));
    expect(await execute(add("c0", 5))).toEqual(ok({ ...first, duplicate: true }));
    expect(await log.lastPosition()).toBe(LIMITS.rememberedCommands + 1);
  });
});

describe("others who write the same aggregate", () => {
  it("make the command decide again on what they wrote", async () => {
    const { execute, faults } = setUp();
    await execute(add("c1", 5));
    faults.push(competitor("rival"));
    expect(amounts(value(await execute(add("c2", 2))))).toEqual([107]);
  });

  it("can make the command be refused", async () => {
    const { execute, faults, log } = setUp();
    faults.push(competitor("rival"));
    expect(await execute(add("c1", 2, { command: { add: 2, most: 50 } }))).toMatchObject({
      ok: false,
      error: { code: "too_much", detail: 'Adding "2" to 100, expected at most 50' },
    });
    expect(await log.lastPosition()).toBe(1);
  });

  it("who come first each time end in a conflict after a bounded number of decisions", async () => {
    const { execute, faults, seen, context } = setUp();
    faults.push(...Array.from({ length: 50 }, (_, n) => competitor(`rival-${n}`)));
    const execution = execute(add("c1", 2));
    await context.time.pass(1_000);
    expect(await execution).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(seen.appends).toBe(LIMITS.decisionsMax);
  });

  it("are noticed when an aggregate was wrongly said to be new", async () => {
    const { execute, log } = setUp();
    await appendDirectly(log, "rival", 10);
    expect(amounts(value(await execute(add("c1", 1, { isNew: true }))))).toEqual([11]);
  });

  it("may be this very command, answered as a duplicate", async () => {
    const { execute, faults, commits } = setUp();
    faults.push(writtenAndAnsweredAsDuplicate);
    expect(value(await execute(add("c1", 5)))).toMatchObject({ position: 1, duplicate: true });
    expect(await commits()).toHaveLength(1);
  });
});

describe("a command's time", () => {
  it("is one, from its coming on, for all that it asks of the log", async () => {
    const { execute, faults, seen, context } = setUp();
    const cameAt = context.time.clock();
    faults.push(competitor("rival"), competitor("rival-2"));
    const execution = execute(add("c1", 2));
    await context.time.pass(100);
    expect(value(await execution).duplicate).toBe(false);
    expect(seen.untils).toHaveLength(6);
    expect(new Set(seen.untils)).toEqual(new Set([cameAt + LIMITS.commandMs]));
  });

  it("counts the wait for those before it", async () => {
    const { execute, faults, seen, context } = setUp();
    const { fault, letGo } = held();
    faults.push(fault);
    const cameAt = context.time.clock();
    const both = [execute(add("c1", 1)), execute(add("c2", 1))];
    await context.time.pass(LIMITS.commandQueueMs - 1);
    letGo();
    await Promise.all(both);
    expect(seen.untils.at(-1)).toBe(cameAt + LIMITS.commandMs);
  });
});

describe("a log that is away", () => {
  it("whose answer was lost gives one commit when the command comes again", async () => {
    const { execute, faults, commits } = setUp();
    faults.push(lostAnswer);
    expect(await execute(add("c1", 5))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(value(await execute(add("c1", 5)))).toMatchObject({ position: 1, duplicate: true });
    expect(await commits()).toHaveLength(1);
  });

  it("whose answer was lost does not hide the commit from the next command", async () => {
    const { execute, faults } = setUp();
    await execute(add("c0", 1));
    faults.push(lostAnswer);
    await execute(add("c1", 5));
    expect(amounts(value(await execute(add("c2", 1, { command: { add: 1, least: 6 } }))))).toEqual([7]);
  });

  it("refuses as unavailable, and the next command works", async () => {
    const { execute, history, seen, faults } = setUp();
    seen.away = true;
    expect(await execute(add("c1", 5))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(await history({ type: "counter", id: "a" })).toMatchObject({ error: { code: "unavailable" } });
    seen.away = false;
    faults.push(refusedBeforeWriting);
    expect(await execute(add("c1", 5))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(value(await execute(add("c1", 5)))).toMatchObject({ position: 1, duplicate: false });
  });

  it("while a conflict is looked into refuses as unavailable, and the next command sees everything", async () => {
    const { execute, seen, faults } = setUp();
    await execute(add("c0", 1));
    faults.push(async (append, log) => {
      seen.away = true;
      return competitor("rival")(append, log);
    });
    expect(await execute(add("c1", 5))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    seen.away = false;
    expect(amounts(value(await execute(add("c1", 5))))).toEqual([106]);
  });
});

/** An append that is held until it is let go. */
const held = () => {
  const gate = Promise.withResolvers<void>();
  const fault: Fault = async (append, log) => {
    await gate.promise;
    return log.append(append);
  };
  return { fault, letGo: () => gate.resolve() };
};

describe("a command that comes again", () => {
  it("reads its own commit, not the history that came after it", async () => {
    const { execute, seen } = setUp();
    for (let n = 0; n < 20; n++) await execute(add(`c${n}`, 1));
    seen.read.length = 0;
    expect(value(await execute(add("c3", 1)))).toMatchObject({ position: 4, duplicate: true });
    expect(seen.read.map(({ position }) => position)).toEqual([4]);
  });

  it("hundreds of times at once reads it few times, and each is answered in time", async () => {
    const { execute, seen, context } = setUp({ readMs: 20 });
    const cameAt = context.time.clock();
    const answeredAt: number[] = [];
    const all = Array.from({ length: 500 }, async () => {
      const execution = value(await execute(add("c1", 1, { isNew: true })));
      answeredAt.push(context.time.clock() - cameAt);
      return execution;
    });
    await context.time.pass(LIMITS.commandMs);
    const [first, ...again] = await Promise.all(all);
    expect(first).toMatchObject({ position: 1, duplicate: false });
    for (const each of again) expect(each).toEqual({ ...first, duplicate: true });
    expect(seen.reads).toBeLessThanOrEqual(2);
    expect(Math.max(...answeredAt)).toBeLessThan(100);
  });

  it("is told all that stands there when many others come again at once, each reading its own", async () => {
    const { execute, seen, context } = setUp({ readMs: 20 });
    const ids = Array.from({ length: 50 }, (_, n) => `c${n}`);
    const executeAll = async () => {
      const all = Promise.all(ids.map((id) => execute(add(id, 1, { isNew: true }))));
      await context.time.pass(LIMITS.commandMs);
      return (await all).map(value);
    };
    const first = await executeAll();
    seen.reads = 0;
    expect(await executeAll()).toEqual(first.map((each) => ({ ...each, duplicate: true })));
    expect(seen.reads).toBe(ids.length);
  });

  it("holds up none of the others on its aggregate while it reads", async () => {
    const { execute, context } = setUp({ readMs: 100 });
    const first = execute(add("c1", 1));
    await context.time.pass(100);
    await first;
    const again = execute(add("c1", 1));
    expect(value(await execute(add("c2", 1))).position).toBe(2);
    await context.time.pass(100);
    expect(value(await again)).toMatchObject({ position: 1, duplicate: true });
  });

  it("is shown nothing that was read before it came: what was personal may be forgotten meanwhile", async () => {
    const context = testActorContext();
    const log = memoryEventLog();
    let isForgotten = false;
    const { methods } = commandActor({
      context,
      log,
      shown: {
        async read(aggregate, options) {
          const commits = await log.read(aggregate, options);
          const seen = isForgotten ? commits.map((commit) => ({ ...commit, events: [] })) : commits;
          await context.time.sleep(20);
          return seen;
        },
      },
      aggregates,
      clock: context.time.clock,
      random: () => 0.5,
      sleep: context.sleep,
    });
    await methods.execute(add("c1", 5));
    const before = methods.execute(add("c1", 5));
    await context.time.pass(10);
    isForgotten = true;
    const after = methods.execute(add("c1", 5));
    await context.time.pass(LIMITS.commandMs);
    expect(amounts(value(await before))).toEqual([5]);
    expect(amounts(value(await after))).toEqual([]);
  });

  it("is unavailable while the log does not show what was seen there, and never done twice", async () => {
    const { execute, log, commits } = setUp();
    const first = value(await execute(add("c1", 1)));
    const { read } = log;
    log.read = async () => [];
    expect(await execute(add("c1", 1))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    log.read = read;
    expect(await execute(add("c1", 1))).toEqual(ok({ ...first, duplicate: true }));
    expect(await commits()).toHaveLength(1);
  });

  it("is unavailable once, then executed, where the log was set up anew", async () => {
    const log = memoryEventLog();
    const { execute, commits } = setUp({ log });
    await execute(add("c1", 1));
    Object.assign(log, memoryEventLog());
    expect(await execute(add("c1", 1))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(value(await execute(add("c1", 1)))).toMatchObject({ position: 1, duplicate: false });
    expect(await commits()).toHaveLength(1);
  });
});

describe("commands at the same time", () => {
  it("are served one after the other on one aggregate, and side by side on different ones", async () => {
    const { execute, faults, commits, seen, context } = setUp();
    const { fault, letGo } = held();
    faults.push(fault);
    const first = execute(add("c1", 1));
    const second = execute(add("c2", 1));
    await context.time.settle();
    expect(value(await execute(add("c3", 1, { id: "b" }))).position).toBe(1);
    expect(seen.appends).toBe(2);
    letGo();
    expect([value(await first).position, value(await second).position]).toEqual([2, 3]);
    expect((await commits()).map(({ commandId }) => commandId)).toEqual(["c1", "c2"]);
  });

  it("that are one and the same are answered, however long the first of them took", async () => {
    const { execute, faults, commits, context } = setUp();
    const { fault, letGo } = held();
    faults.push(fault);
    const all = Promise.all(Array.from({ length: 20 }, () => execute(add("c1", 1))));
    await context.time.pass(LIMITS.commandQueueMs + 100);
    letGo();
    expect((await all).map((each) => value(each).position)).toEqual(Array(20).fill(1));
    expect(await commits()).toHaveLength(1);
  });

  it("that waited too long for others are refused as unavailable and write nothing", async () => {
    const { execute, faults, commits, context } = setUp();
    const { fault, letGo } = held();
    faults.push(fault);
    const first = execute(add("c1", 1));
    const second = execute(add("c2", 1));
    await context.time.pass(LIMITS.commandQueueMs + 1);
    letGo();
    await first;
    expect(await second).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect((await commits()).map(({ commandId }) => commandId)).toEqual(["c1"]);
  });

  it("of which too many wait on one aggregate are refused at once, and others go on", async () => {
    const { execute, faults, context } = setUp();
    const { fault, letGo } = held();
    faults.push(fault);
    const all = Array.from({ length: LIMITS.commandsWaiting }, (_, n) => execute(add(`c${n}`, 1)));
    expect(await execute(add("too-much", 1))).toMatchObject({ ok: false, error: { code: "unavailable" } });
    expect(value(await execute(add("c1", 1, { id: "b" }))).duplicate).toBe(false);
    letGo();
    await context.time.settle();
    for (const each of await Promise.all(all)) expect(each.ok).toBe(true);
    expect(value(await execute(add("later", 1))).duplicate).toBe(false);
  });
});

describe("what an Actor keeps in memory", () => {
  it("is bounded: an aggregate that fell out is folded again and answers the same", async () => {
    const cachedAggregates = 20;
    const { execute, seen } = setUp({ bounds: { ...LIMITS, cachedAggregates } });
    await execute(add("c1", 5));
    for (let n = 0; n < cachedAggregates; n++) {
      await execute(add("c1", 1, { id: `other-${n}`, isNew: true }));
    }
    const reads = seen.reads;
    expect(amounts(value(await execute(add("c2", 2))))).toEqual([7]);
    expect(seen.reads).toBe(reads + 1);
    expect(amounts(value(await execute(add("c3", 2))))).toEqual([9]);
    expect(seen.reads).toBe(reads + 1);
  });
});

describe("an Idempotency-Key", () => {
  const request = (id: string, fingerprint = "body") => ({ key: "k", fingerprint, id });

  it("50 times at once stands for one id", async () => {
    const { reserve } = setUp();
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => reserve(request(`id-${n}`))));
    expect(all.filter((each) => each.ok && each.value.fresh)).toEqual([
      ok({ id: "id-0", fresh: true, reservedAt: expect.any(Number) }),
    ]);
    expect(all.filter((each) => each.ok && each.value.id === "id-0")).toHaveLength(50);
  });

  it("with another request is refused", async () => {
    const { reserve } = setUp();
    await reserve(request("a"));
    expect(await reserve(request("a", "other body"))).toMatchObject({
      error: { code: "idempotency_key_reused" },
    });
  });

  it("gives its first outcome beyond the command ids that are remembered, also to a new Actor", async () => {
    const { execute, reserve, log, context } = setUp();
    const keyed = add("key-k", 5, { key: "k" });
    await reserve(request("a"));
    const first = value(await execute(keyed));
    for (let n = 1; n <= LIMITS.rememberedCommands + 1; n++) await execute(add(`c${n}`, 1));
    expect(await execute(keyed)).toEqual(ok({ ...first, duplicate: true }));
    const later = setUp({ log, context: context.successor() });
    expect(await later.reserve(request("b"))).toMatchObject(ok({ id: "a", fresh: false }));
    expect(await later.execute(keyed)).toEqual(ok({ ...first, duplicate: true }));
  });

  it("is forgotten after its time, not before; then it is another reservation", async () => {
    const { reserve, context } = setUp();
    const reserved = async (id: string) => {
      const holder = await reserve(request(id));
      return holder.ok ? holder.value : undefined;
    };
    const first = await reserved("a");
    await context.time.pass(LIMITS.idempotencyKeyMs);
    expect(await reserved("b")).toEqual({ ...first, fresh: false });
    await context.time.pass(60_000);
    const again = await reserved("b");
    expect(again).toMatchObject({ id: "b", fresh: true });
    expect(again?.reservedAt).toBeGreaterThan(first?.reservedAt ?? 0);
  });
});

describe("whatever happens to the log", () => {
  const step = fc.record({
    id: fc.constantFrom("a", "b", "c"),
    command: fc.nat(6),
    amount: fc.integer({ min: 0, max: 3 }),
    at: fc.nat(3),
    isNew: fc.boolean(),
    retries: fc.nat(2),
  });
  const fault = fc.constantFrom(
    "none",
    "none",
    "lost",
    "refused",
    "rival",
    "duplicate",
    "forgetting" as const,
  );

  it("every command answered ok stands in the log once, versions have no gaps, states are the log's fold", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.array(fault, { maxLength: 40 }),
        async (steps, plan) => {
          const log = memoryEventLog();
          let actor = setUp({ log });
          const { context } = actor;
          let rivals = 0;
          const faultOf: Record<(typeof plan)[number], Fault> = {
            none: (append, real) => real.append(append),
            forgetting: (append, real) => real.append(append),
            lost: lostAnswer,
            refused: refusedBeforeWriting,
            duplicate: writtenAndAnsweredAsDuplicate,
            rival: async (append, real) => {
              await appendDirectly(real, `rival-${rivals++}`, 10, append.aggregate.id);
              return real.append(append);
            },
          };
          const queue = [...plan];
          const answered = new Map<string, Executed>();
          const client = async ({ id, command, amount, at, isNew, retries }: (typeof steps)[number]) => {
            await context.sleep(at);
            const commandId = `c${command}`;
            for (let attempt = 0; attempt <= retries; attempt++) {
              const kind = queue.shift() ?? "none";
              if (kind === "forgetting") actor = setUp({ log, context });
              actor.faults.push(faultOf[kind]);
              const execution = await actor.execute(add(commandId, amount, { id, isNew }));
              if (!execution.ok) {
                expect(["unavailable", "conflict"]).toContain(execution.error.code);
                continue;
              }
              const executed = execution.value;
              if (executed.events.length === 0) return;
              const known = answered.get(`${id} ${commandId}`) ?? executed;
              expect({ ...executed, duplicate: false }).toEqual({ ...known, duplicate: false });
              answered.set(`${id} ${commandId}`, executed);
              return;
            }
          };
          let done = 0;
          const clients = Promise.all(steps.map((each) => client(each).finally(() => done++)));
          clients.catch(() => undefined);
          await context.time.until(() => done === steps.length);
          await clients;

          for (const id of ["a", "b", "c"]) {
            const commits = await log.read({ type: "counter", id });
            const events = commits.flatMap(
              (commit) => commit.events as unknown as (Added & { version: number })[],
            );
            expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
            let sum = 0;
            for (const { data } of events) {
              sum += data.amount;
              expect(data.to).toBe(sum);
            }
            expect(new Set(commits.map(({ commandId }) => commandId)).size).toBe(commits.length);
            const last = value(await setUp({ log, context }).execute(add("last", 1, { id })));
            expect(amounts(last)).toEqual([sum + 1]);
          }
          for (const [key, { position }] of answered) {
            const [id = "", commandId] = key.split(" ");
            const own = (await log.read({ type: "counter", id })).filter(
              (commit) => commit.commandId === commandId,
            );
            expect(own.map((commit) => commit.position)).toEqual([position]);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
