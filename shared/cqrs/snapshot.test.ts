/** What snapshots promise of a command Actor: a shorter way to the same state, and no command twice. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TestActorContext, testActorContext } from "#test/fake/actor-context.ts";
import type { Commit, DomainEvent } from "../events/event.ts";
import { type EventLog, LogUnavailable } from "../events/event-log.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import type { Aggregate, SnapshotDeclaration } from "./aggregate.ts";
import { commandActor, type Executed, type Execution } from "./command-actor.ts";
import type { FoldBounds } from "./folded-states.ts";
import type { SnapshotLog } from "./snapshot.ts";
import { stateOf } from "./state-of.ts";

type Noted = { type: "Noted"; data: { note: string } };
/** Every note in order, so that a commit that is missing, doubled or out of order shows. */
type Notes = { readonly notes: ReadonlyMap<string, number> };

const encoded = ({ notes }: Notes) => [...notes];
const plain: SnapshotDeclaration<Notes> = {
  version: 1,
  every: 5,
  encode: encoded,
  decode: (json) => ({ notes: new Map(json as [string, number][]) }),
};

const notebook = (snapshot: SnapshotDeclaration<Notes> | undefined): Aggregate<Notes, object, Noted> => ({
  type: "notebook",
  initialState: () => ({ notes: new Map() }),
  evolve: ({ notes }, { data: { note } }) => ({ notes: new Map(notes).set(note, notes.size) }),
  decide: (command) => ok([{ type: "Noted", data: command as Noted["data"] }]),
  ...(snapshot && { snapshot }),
});

const foldOf = (commits: readonly Commit[]): Notes =>
  commits
    .flatMap(({ events }) => events as unknown as Noted[])
    .reduce(notebook(undefined).evolve, { notes: new Map() });

const memorySnapshotLog = (): SnapshotLog & { readonly kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return {
    kept,
    read: async ({ id }) => kept.get(id),
    write: async ({ id }, snapshot) => void kept.set(id, snapshot),
  };
};

/** As a NATS server after its two minutes: it writes a command that it has written before. */
const forgetfulLog = (): EventLog => {
  const log = memoryEventLog();
  let appends = 0;
  const asAppended = ({ commandId, events, ...commit }: Commit): Commit => {
    const id = commandId.slice(0, commandId.indexOf("~"));
    return {
      ...commit,
      commandId: id,
      events: events.map((event, index) => ({ ...event, id: `${id}/${index}` })),
    };
  };
  return {
    ...log,
    append: (commit) => log.append({ ...commit, commandId: `${commit.commandId}~${appends++}` }),
    read: async (...wanted) => (await log.read(...wanted)).map(asAppended),
  };
};

interface SetUp {
  log?: EventLog;
  context?: TestActorContext;
  snapshot?: SnapshotDeclaration<Notes> | "none";
  snapshotLog?: SnapshotLog;
  bounds?: Partial<FoldBounds>;
}

const setUp = ({
  log = forgetfulLog(),
  context = testActorContext(),
  snapshot = plain,
  snapshotLog,
  bounds = {},
}: SetUp = {}) => {
  const seen = { read: [] as Commit[], readsLeft: Number.POSITIVE_INFINITY };
  const aggregate = notebook(snapshot === "none" ? undefined : snapshot);
  const { methods } = commandActor({
    context,
    log: {
      ...log,
      async read(ref, options) {
        if (seen.readsLeft-- <= 0) throw new LogUnavailable("no time left");
        const commits = await log.read(ref, options);
        seen.read.push(...commits);
        return commits;
      },
    },
    aggregates: { notebook: aggregate as unknown as Aggregate<unknown, object, DomainEvent> },
    snapshotLog,
    clock: context.time.clock,
    random: () => 0.5,
    sleep: context.sleep,
    bounds: { ...LIMITS, ...bounds },
  });
  const write = (commandId: string, id = "a") =>
    methods.execute({ type: "notebook", id, commandId, command: { note: `${commandId}!` } });
  return {
    ...methods,
    log,
    context,
    seen,
    write,
    async writeMany(count: number, from = 0) {
      for (let n = from; n < from + count; n++) value(await write(`c${n}`));
    },
    commits: (id = "a") => log.read({ type: "notebook", id }),
    state: async (id = "a") => {
      const state = await stateOf(methods, aggregate, id);
      if (!state.ok) throw new Error(`Refused: ${state.error.detail}`);
      return state.value;
    },
    kept: () =>
      context.sql
        .exec<{ aggregate: string; body: string }>("SELECT aggregate, body FROM snapshot")
        .map(({ aggregate: key, body }) => ({ key, position: (JSON.parse(body) as Commit).position })),
  };
};

const value = (execution: Execution): Executed => {
  if (!execution.ok) throw new Error(`Refused: ${execution.error.code} ${execution.error.detail}`);
  return execution.value;
};

describe("a snapshot", () => {
  it("is written after the answer, once so many events have come", async () => {
    const { write, writeMany, kept, context } = setUp();
    await writeMany(4);
    await context.time.settle();
    expect(kept()).toEqual([]);
    await write("c4");
    expect(kept()).toEqual([]);
    await context.time.settle();
    expect(kept()).toEqual([{ key: "notebook/a", position: 5 }]);
    await writeMany(6, 5);
    await context.time.settle();
    expect(kept()).toEqual([{ key: "notebook/a", position: 11 }]);
    expect(context.timesWorked()).toBe(2);
  });

  it("leaves whoever starts with its own commit and what came after it to read", async () => {
    const { writeMany, log, context, commits } = setUp();
    await writeMany(5);
    await context.time.settle();
    await writeMany(2, 5);
    const later = setUp({ log, context: context.successor() });
    value(await later.write("c7"));
    expect(later.seen.read.map(({ position }) => position)).toEqual([5, 6, 7]);
    expect(await later.state()).toEqual(foldOf(await commits()));
  });

  it("is made of a history that was folded from the beginning", async () => {
    const { writeMany, log } = setUp({ snapshot: "none" });
    await writeMany(12);
    const later = setUp({ log });
    await later.state();
    await later.context.time.settle();
    expect(later.kept()).toEqual([{ key: "notebook/a", position: 12 }]);
  });

  it.each<[string, Partial<SnapshotDeclaration<Notes>>]>([
    ["of another version", { version: 2 }],
    [
      "that cannot be decoded",
      {
        decode() {
          throw new Error("another form");
        },
      },
    ],
  ])("%s is void: the state is folded from the beginning, and kept anew", async (_, change) => {
    const { writeMany, log, context, commits } = setUp();
    await writeMany(7);
    await context.time.settle();
    const later = setUp({ log, context: context.successor(), snapshot: { ...plain, ...change } });
    expect(value(await later.write("c1"))).toMatchObject({ duplicate: true, position: 2 });
    expect(later.seen.read).toHaveLength(8);
    await later.context.time.settle();
    expect(later.kept()).toEqual([{ key: "notebook/a", position: 7 }]);
    const whole = setUp({ log, context: context.successor(), snapshot: "none" });
    expect(await whole.state()).toEqual(foldOf(await commits()));
  });

  it("of a state that is more than JSON is not made, and commands go on", async () => {
    const { writeMany, kept, context } = setUp({ snapshot: { version: 1, every: 5 } });
    await writeMany(7);
    await context.time.settle();
    expect(kept()).toEqual([]);
    await writeMany(1, 7);
  });

  it("of a log that was lost, or replaced by another, is void", async () => {
    const { writeMany, context } = setUp();
    await writeMany(6);
    await context.time.settle();
    const other = setUp({ snapshot: "none" });
    for (const command of ["x1", "x2", "x3", "x4", "x5", "x6"]) await other.write(command);
    const later = setUp({ log: other.log, context: context.successor() });
    value(await later.write("c5"));
    const commits = await other.commits();
    expect(commits.map(({ commandId }) => commandId)).toEqual(["x1", "x2", "x3", "x4", "x5", "x6", "c5"]);
    expect(await later.state()).toEqual(foldOf(commits));
    const empty = setUp({ context: context.successor() });
    expect(value(await empty.write("c1"))).toMatchObject({ position: 1, duplicate: false });
  });

  it("in the log is found by an Actor of another storage, which then reads what came after it", async () => {
    const snapshotLog = memorySnapshotLog();
    const snapshot = { ...plain, inLog: true };
    const { writeMany, log, context, commits } = setUp({ snapshot, snapshotLog });
    await writeMany(5);
    await context.time.settle();
    await writeMany(1, 5);
    const other = setUp({ log, snapshot, snapshotLog });
    expect(await other.state()).toEqual(foldOf(await commits()));
    expect(other.seen.read.map(({ position }) => position)).toEqual([5, 6]);
    const silent: SnapshotLog = { read: () => Promise.reject(new Error("away")), write: async () => {} };
    const alone = setUp({ log, snapshot, snapshotLog: silent });
    expect(await alone.state()).toEqual(foldOf(await commits()));
  });
});

describe("a history too long for one command's time", () => {
  it("is folded on by the next one from where the time ran out", async () => {
    const { writeMany, log } = setUp({ snapshot: "none" });
    await writeMany(10);
    const later = setUp({ log, snapshot: "none", bounds: { foldSlice: 4 } });
    later.seen.readsLeft = 2;
    expect(await later.write("c10")).toMatchObject({ error: { code: "unavailable" } });
    later.seen.readsLeft = Number.POSITIVE_INFINITY;
    expect(value(await later.write("c10")).position).toBe(11);
    expect(later.seen.read.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe("a log that has less than was folded", () => {
  it("is folded anew instead of being in conflict for ever", async () => {
    const { writeMany, log } = setUp();
    await writeMany(4);
    const shorter = forgetfulLog();
    const copy = async (most: number) => {
      for (const { aggregate, commandId, trace, events } of (
        await log.read({ type: "notebook", id: "a" })
      ).slice(0, most))
        await shorter.append({
          aggregate,
          commandId,
          trace,
          events: events.map(({ type, data }) => ({ type, data })),
          at: Date.parse(events[0]?.time ?? ""),
          expectedPosition: (events[0]?.version ?? 1) - 1,
          expectedVersion: (events[0]?.version ?? 1) - 1,
        });
    };
    await copy(2);
    let now = log;
    const either: EventLog = {
      ...log,
      append: (commit, until) => now.append(commit, until),
      read: (ref, options) => now.read(ref, options),
    };
    const actor = setUp({ log: either, snapshot: "none" });
    await actor.state();
    now = shorter;
    const execution = actor.write("c9");
    await actor.context.time.pass(1_000);
    expect(value(await execution).position).toBe(3);
  });
});

describe("a command id", () => {
  const MANY = LIMITS.rememberedCommands + LIMITS.commandIdsTogether + 1;

  it("is known beyond those in memory: after more commands, a restart, from another Actor's snapshot or the log", async () => {
    const snapshotLog = memorySnapshotLog();
    const snapshot = { ...plain, every: 400, inLog: true };
    const { write, writeMany, log, context, commits, kept } = setUp({ snapshot, snapshotLog });
    const first = value(await write("first"));
    await writeMany(MANY);
    await context.time.settle();
    await writeMany(100, MANY);
    const spilled = () => context.sql.exec("SELECT id FROM remembered_command").length;
    expect(spilled()).toBeGreaterThan(0);
    expect(kept()).toHaveLength(1);
    const actors = [
      { write },
      setUp({ log, context: context.successor(), snapshot, snapshotLog }),
      setUp({ log, snapshot, snapshotLog }),
      setUp({ log, snapshot: "none" }),
    ];
    for (const actor of actors) expect(await actor.write("first")).toEqual(ok({ ...first, duplicate: true }));
    const known = setUp({ log, snapshot, snapshotLog });
    await known.write("first");
    await known.context.time.settle();
    expect(known.context.sql.exec("SELECT id FROM remembered_command").length).toBe(spilled() + 100);
    expect(await known.write("first")).toEqual(ok({ ...first, duplicate: true }));
    expect((await commits()).filter(({ commandId }) => commandId === "first")).toHaveLength(1);
  }, 60_000);

  it("costs no write on an aggregate with fewer commands than are remembered", async () => {
    const { writeMany, context } = setUp({ snapshot: "none" });
    const changes = () => context.sql.exec<{ n: number }>("SELECT total_changes() AS n")[0]?.n;
    const before = changes();
    await writeMany(LIMITS.rememberedCommands);
    await context.time.settle();
    expect(changes()).toBe(before);
  });

  it("is known for 24 hours by its event's time, and then may be another command's", async () => {
    const bounds = { rememberedCommands: 3, commandIdsTogether: 0 };
    const actor = setUp({ bounds });
    const { write, writeMany, context } = actor;
    await write("first");
    await writeMany(5);
    await context.time.settle();
    await context.time.pass(LIMITS.commandIdMs);
    expect(value(await write("first"))).toMatchObject({ position: 1, duplicate: true });
    await context.time.pass(1);
    expect(value(await write("first"))).toMatchObject({ position: 7, duplicate: false });
    expect(value(await write("first"))).toMatchObject({ position: 7, duplicate: true });
  });

  it("is never missing in a snapshot for others: with too many of them the one before stays", async () => {
    const snapshotLog = memorySnapshotLog();
    const bounds = { rememberedCommands: 3, commandIdsTogether: 0, snapshotLogCommands: 4 };
    const snapshot = { ...plain, inLog: true };
    const { writeMany, log, context } = setUp({ snapshot, snapshotLog, bounds });
    for (let n = 0; n < 20; n += 5) {
      await writeMany(5, n);
      await context.time.settle();
    }
    expect(JSON.parse(snapshotLog.kept.get("a") ?? "{}")).toMatchObject({ position: 5 });
    const other = setUp({ log, snapshot, snapshotLog, bounds });
    for (let n = 0; n < 20; n++) {
      expect(value(await other.write(`c${n}`))).toMatchObject({ position: n + 1, duplicate: true });
    }
  });
});

describe("a state asked for", () => {
  it("has what another Actor has written, and is the initial one for an id without history", async () => {
    const { write, log, state } = setUp();
    await write("c1");
    await setUp({ log }).write("c2");
    expect([...(await state()).notes.keys()]).toEqual(["c1!", "c2!"]);
    expect((await state("b")).notes.size).toBe(0);
  });

  it("that is more than JSON is folded by whoever asks", async () => {
    const { write, state } = setUp({ snapshot: "none" });
    await write("c1");
    expect([...(await state()).notes.keys()]).toEqual(["c1!"]);
  });

  it("is refused while the log is away", async () => {
    const actor = setUp();
    actor.seen.readsLeft = 0;
    await expect(actor.state()).rejects.toThrow("no time left");
  });
});

describe("whatever happens", () => {
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constant("command" as const),
        id: fc.constantFrom("a", "b"),
        n: fc.nat(40),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant("many" as const),
        id: fc.constantFrom("a", "b"),
        n: fc.nat(12),
      }),
    },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("pause" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ does: fc.constant("restart" as const), version: fc.constantFrom(1, 1, 1, 2) }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("lose storage" as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("spoil" as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("other Actor" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant("away" as const),
        id: fc.constantFrom("a", "b"),
        reads: fc.nat(3),
      }),
    },
  );

  it("states are those of a fold from the beginning, and each command stands in the log once", async () => {
    let decodes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, inLog) => {
        const log = forgetfulLog();
        const snapshotLog = memorySnapshotLog();
        const bounds = {
          rememberedCommands: 3,
          commandIdsTogether: 2,
          foldSlice: 4,
          cachedAggregates: 1,
          cachedCommands: 8,
          snapshotLogCommands: 20,
        };
        const start = (context: TestActorContext, version = 1) =>
          setUp({
            log,
            context,
            snapshotLog,
            bounds,
            snapshot: {
              ...plain,
              version,
              inLog,
              decode(json) {
                decodes++;
                return { notes: new Map(json as [string, number][]) };
              },
            },
          });
        const actors = [start(testActorContext()), start(testActorContext())];
        const current = () => actors[0] as (typeof actors)[number];
        const answered = new Map<string, Executed>();
        const command = async (id: string, commandId: string) => {
          const key = `${id} ${commandId}`;
          const pending = current().write(commandId, id);
          await current().context.time.pass(0);
          const execution = await pending;
          if (!execution.ok) return expect(execution.error.code).toBe("unavailable");
          const known = answered.get(key);
          expect(execution.value.duplicate).toBe(known !== undefined);
          if (known) expect(execution.value).toEqual({ ...known, duplicate: true });
          else answered.set(key, execution.value);
        };
        for (const [index, each] of steps.entries()) {
          switch (each.does) {
            case "command":
              await command(each.id, `c${each.n}`);
              break;
            case "many":
              for (let n = 0; n < each.n; n++) await command(each.id, `m${index}-${n}`);
              break;
            case "pause":
              await current().context.time.settle();
              break;
            case "restart": {
              const { context } = current();
              context.die();
              actors[0] = start(context.successor(), each.version);
              break;
            }
            case "lose storage":
              actors[0] = start(testActorContext());
              break;
            case "spoil":
              current().context.sql.exec("UPDATE snapshot SET body = substr(body, 2)");
              for (const [id, text] of snapshotLog.kept) snapshotLog.kept.set(id, text.slice(1));
              break;
            case "other Actor":
              actors.reverse();
              break;
            case "away":
              current().seen.readsLeft = each.reads;
              await command(each.id, `away-${index}`);
              current().seen.readsLeft = Number.POSITIVE_INFINITY;
              break;
          }
        }
        for (const actor of actors) {
          for (const id of ["a", "b"]) expect(await actor.state(id)).toEqual(foldOf(await actor.commits(id)));
        }
        for (const [key, { position }] of answered) {
          const [id = "", commandId = ""] = key.split(" ");
          const own = (await current().commits(id)).filter((commit) => commit.commandId === commandId);
          expect(own.map((commit) => commit.position)).toEqual([position]);
          expect(value(await current().write(commandId, id))).toMatchObject({ position, duplicate: true });
        }
      }),
      { numRuns: 150 },
    );
    expect(decodes).toBeGreaterThan(150);
  });
});
