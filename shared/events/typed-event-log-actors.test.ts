import { beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { testActorContext } from "#test/fake/actor-context.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import type { Aggregate } from "../cqrs/aggregate.ts";
import { commandActor } from "../cqrs/command-actor.ts";
import type { Process } from "../cqrs/process.ts";
import { processActor } from "../cqrs/process-actor.ts";
import type { Projection } from "../cqrs/projection.ts";
import { upcastProcess } from "../cqrs/upcast-process.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import type { DomainEvent } from "./event.ts";
import type { EventLog } from "./event-log.ts";
import { type EventTypes, event } from "./event-types.ts";
import { memoryEventLog } from "./memory-event-log.ts";
import { typedEventLog } from "./typed-event-log.ts";

const V1 = { Noted: event({ text: z.string() }) };
const V2 = {
  Noted: V1.Noted.next(
    (v1) => ({ ...v1, by: z.string() }),
    (v1) => ({ ...v1, by: "nobody" }),
  ),
};

/** Records whatever data it is told to, and knows all that was recorded. */
const notes: Aggregate<readonly object[], { data: object }, DomainEvent> = {
  type: "note",
  initialState: () => [],
  evolve: (known, { data }) => [...known, data],
  decide: ({ data }) => ok([{ type: "Noted", data }]),
};

const noting = (log: EventLog, types: EventTypes) => {
  const { methods } = commandActor({
    context: testActorContext(),
    log: typedEventLog(log, types),
    aggregates: { note: notes as Aggregate<unknown, object, DomainEvent> },
    clock: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  });
  return {
    note: (commandId: string, data: object) =>
      methods.execute({ type: "note", id: "a", commandId, command: { data } }),
    history: () => methods.history({ type: "note", id: "a" }),
  };
};

let log: EventLog;
beforeEach(() => {
  log = memoryEventLog();
});

describe("a command", () => {
  it("that decides an event no schema takes fails as a defect, and nothing of it is written or remembered", async () => {
    const { note, history } = noting(log, V1);
    await note("c1", { text: "a" });
    await expect(note("c2", { text: "b", oops: 1 })).rejects.toThrow('Cannot write an event "Noted"');
    expect(await log.lastPosition()).toBe(1);
    // The same command id is free for what was meant.
    expect(await note("c2", { text: "b" })).toMatchObject({
      ok: true,
      value: { position: 2, duplicate: false },
    });
    const known = await history();
    expect(known.ok && known.value.map(({ commandId }) => commandId)).toEqual(["c1", "c2"]);
  });

  it("is refused for the time being by who is older than the history's last writer, and changes nothing", async () => {
    await noting(log, V2).note("c1", { text: "a", by: "ada" });
    const older = noting(log, V1);
    const unavailable = {
      ok: false,
      error: { code: "unavailable", detail: expect.stringContaining('"Noted" of version "2"') },
    };
    expect(await older.note("c2", { text: "b" })).toMatchObject(unavailable);
    expect(await older.history()).toMatchObject(unavailable);
    expect(await log.lastPosition()).toBe(1);
  });

  it("is decided on the newest form of everything before it", async () => {
    await noting(log, V1).note("c1", { text: "a" });
    const { note, history } = noting(log, V2);
    await note("c2", { text: "b", by: "ada" });
    const known = await history();
    expect(known.ok && known.value.flatMap(({ events }) => events.map(({ data }) => data))).toEqual([
      { text: "a", by: "nobody" },
      { text: "b", by: "ada" },
    ]);
  });
});

const listed: Projection = {
  name: "notes",
  tables: ["notes"],
  changes: (commits) => [
    {
      change: "insert",
      table: "notes",
      key: ["id"],
      rows: commits.flatMap(({ events }) => events.map(({ id, data }) => ({ id, ...data }))),
    },
  ],
};

it("a projection shows all that it understands, says at which event it stops, and goes on once it is as new", async () => {
  await noting(log, V1).note("c1", { text: "a" });
  await noting(log, V2).note("c2", { text: "b", by: "ada" });
  const { store, rows } = memoryReadStore("notes");
  const older = testProjectors({ projection: listed, log: typedEventLog(log, V1), store });
  await older.projection.wake({});
  await older.time.settle();
  // After what it applied it pauses for more to come.
  await older.time.pass(LIMITS.projectionPauseMs);
  expect(rows("notes")).toEqual([{ id: "c1/0", text: "a" }]);
  expect(await older.projection.wake({})).toMatchObject({
    position: 1,
    failure: expect.stringContaining("expected 1 to 1; its writer is newer than its reader"),
  });
  older.die();
  const newer = testProjectors({ projection: listed, log: typedEventLog(log, V2), store, time: older.time });
  await newer.projection.wake({});
  await newer.time.settle();
  expect(rows("notes")).toEqual([
    { id: "c1/0", text: "a" },
    { id: "c2/0", text: "b", by: "ada" },
  ]);
});

it("a process of another service stops at a newer event that it handles, parks nothing and says why", async () => {
  await noting(log, V1).note("c1", { text: "a" });
  await noting(log, V2).note("c2", { text: "b", by: "ada" });
  const seen: object[] = [];
  const process: Process = {
    name: "read",
    source: "notes",
    handles: ["Noted"],
    handle: async ({ data }) => ok(seen.push(data)),
  };
  const start = (types: EventTypes, context = testActorContext()) => {
    const actor = processActor({
      context,
      process: upcastProcess(process, types),
      log: typedEventLog(log, types, { only: process.handles }),
      clock: context.time.clock,
      random: () => 0.5,
      sleep: context.sleep,
    });
    context.onAlarm(actor.alarm);
    return { ...actor.methods, context };
  };
  const older = start(V1);
  await older.wake({});
  await older.context.time.settle();
  expect(await older.wake({})).toMatchObject({
    floor: 1,
    parked: 0,
    failure: expect.stringContaining('"Noted" of version "2"'),
  });
  older.context.die();
  const newer = start(V2, older.context.successor());
  await newer.wake({});
  await newer.context.time.settle();
  expect(seen).toEqual([{ text: "a" }, { text: "b", by: "ada" }]);
});
