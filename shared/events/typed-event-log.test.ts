import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { DomainEvent } from "./event.ts";
import { type Append, LogUnavailable } from "./event-log.ts";
import { type EventOf, event } from "./event-types.ts";
import { memoryEventLog } from "./memory-event-log.ts";
import { typedEventLog } from "./typed-event-log.ts";

const OLD = { Placed: event({ id: z.string() }), Ended: event({ id: z.string() }) };
const NEW = {
  ...OLD,
  Placed: OLD.Placed.next(
    (v1) => ({ ...v1, channel: z.enum(["web", "shop"]) }),
    (v1) => ({ ...v1, channel: "web" }),
  ),
};
const WITH_MORE = { ...NEW, Wrapped: event({ paper: z.string() }) };

const append = (expectedPosition: number, ...events: DomainEvent[]): Append => ({
  aggregate: { type: "order", id: "o1" },
  expectedPosition,
  expectedVersion: expectedPosition,
  commandId: `c${expectedPosition}`,
  at: 0,
  events,
  trace: {},
});
const placed = (channel?: string) => ({ type: "Placed", data: { id: "o1", ...(channel && { channel }) } });
const ended = { type: "Ended", data: { id: "o1" } };

const start = () => {
  const log = memoryEventLog();
  return {
    log,
    old: typedEventLog(log, OLD),
    now: typedEventLog(log, NEW),
    next: typedEventLog(log, WITH_MORE),
  };
};
const history = { type: "order", id: "o1" };

/** All batches until the tail fails or has shown so many commits. */
const tailOf = async (log: ReturnType<typeof memoryEventLog>, count: number) => {
  const stop = new AbortController();
  const shown: (readonly DomainEvent[])[] = [];
  try {
    for await (const batch of log.tail({ after: 0, batchMax: 10, signal: stop.signal })) {
      shown.push(...batch.map(({ events }) => events.map(({ type, data }) => ({ type, data }))));
      if (shown.length >= count) break;
    }
    return { shown, failure: undefined };
  } catch (failure) {
    return { shown, failure };
  } finally {
    stop.abort();
  }
};

describe("what is written", () => {
  it("is marked with the version of its schema, except the first", async () => {
    const { log, now } = start();
    await now.append(append(0, placed("shop"), ended));
    const [commit] = await log.read(history);
    expect(commit?.events.map(({ eventVersion }) => eventVersion)).toEqual([2, undefined]);
    expect(commit?.events[1]).not.toHaveProperty("eventVersion");
  });

  it.each([
    ["a field is missing", placed(), '"channel"'],
    ["a field has another form", { type: "Placed", data: { id: 7, channel: "web" } }, '"id"'],
    ["a field is not known", { type: "Placed", data: { id: "o1", channel: "web", note: "x" } }, "note"],
    ["it has the form of an older version", { type: "Placed", data: { id: "o1" } }, '"channel"'],
    ["its type is not declared", { type: "Wrapped", data: {} }, "expected one of Placed, Ended"],
    ["its type only looks declared", { type: "constructor", data: {} }, "expected one of Placed, Ended"],
  ])("is refused as a whole when %s", async (_, wrong, told) => {
    const { log, now } = start();
    await expect(now.append(append(0, placed("web"), wrong))).rejects.toThrow(told);
    expect(await log.lastPosition()).toBe(0);
  });

  it("is told without the values that were refused", async () => {
    const { now } = start();
    const secret = { type: "Placed", data: { id: "o1", channel: "the secret" } };
    await expect(now.append(append(0, secret))).rejects.not.toThrow("the secret");
  });
});

describe("what is read", () => {
  it("comes in the newest version, whenever it was written", async () => {
    const { old, now } = start();
    await old.append(append(0, placed(), ended));
    await now.append(append(1, placed("shop")));
    const events = (await now.read(history)).flatMap((commit) => commit.events);
    expect(events.map(({ data, eventVersion }) => [data, eventVersion])).toEqual([
      [{ id: "o1", channel: "web" }, 2],
      [{ id: "o1" }, undefined],
      [{ id: "o1", channel: "shop" }, 2],
    ]);
    expect(await tailOf(now, 2)).toEqual({
      shown: [[placed("web"), ended], [placed("shop")]],
      failure: undefined,
    });
  });

  it("is the same object when nothing of it is old", async () => {
    const { log, now } = start();
    await now.append(append(0, placed("web"), ended));
    expect((await now.read(history))[0]).toBe((await log.read(history))[0]);
  });

  it.each([
    ["of a newer version", placed("web"), 'an event "Placed" of version "2": expected 1 to 1'],
    ["of a type that came later", { type: "Wrapped", data: { paper: "red" } }, 'type "Wrapped" is not known'],
  ])(
    "is not misread %s: an older reader goes as far as it understands and says why",
    async (_, newer, why) => {
      const { old, next } = start();
      await old.append(append(0, placed()));
      await next.append(append(1, newer));
      await old.append(append(2, ended));
      const { shown, failure } = await tailOf(old, 3);
      expect(shown).toEqual([[placed()]]);
      expect(failure).toBeInstanceOf(LogUnavailable);
      expect(failure).toMatchObject({ message: expect.stringContaining(why) });
      await expect(old.read(history)).rejects.toThrow(why);
      expect(await old.read(history, { most: 1 })).toHaveLength(1);
    },
  );
});

describe("who wants some types only", () => {
  it("is not stopped by others, known or not, of whatever version", async () => {
    const { log, old, next } = start();
    await old.append(append(0, placed()));
    await next.append(append(1, { type: "Wrapped", data: { paper: "red" } }));
    await next.append(append(2, placed("shop"), ended));
    expect(await tailOf(typedEventLog(log, OLD, { only: ["Ended"] }), 3)).toEqual({
      shown: [[placed()], [{ type: "Wrapped", data: { paper: "red" } }], [placed("shop"), ended]],
      failure: undefined,
    });
  });

  it("is stopped by a newer version of those", async () => {
    const { log, old, next } = start();
    await old.append(append(0, ended));
    await next.append(append(1, placed("shop")));
    const { shown, failure } = await tailOf(typedEventLog(log, OLD, { only: ["Placed"] }), 2);
    expect(shown).toEqual([[ended]]);
    expect(failure).toBeInstanceOf(LogUnavailable);
  });

  it("is told at once of a type that nobody declares", () =>
    expect(() => typedEventLog(memoryEventLog(), OLD, { only: ["Endet"] })).toThrow(
      'Cannot read events "Endet": expected one of Placed, Ended',
    ));
});

it("the union of a service's events has each in its newest form, and nothing of it can be changed", () => {
  const newest: EventOf<typeof NEW> = { type: "Placed", data: { id: "o1", channel: "shop" } };
  // @ts-expect-error: the first version's form is not written any more
  const first: EventOf<typeof NEW> = { type: "Placed", data: { id: "o1" } };
  const types = { Listed: event({ lines: z.array(z.object({ sku: z.string() })) }) };
  const listed: EventOf<typeof types> = { type: "Listed", data: { lines: [{ sku: "tea" }] } };
  // @ts-expect-error: read-only, all the way down
  const change = () => listed.data.lines.push({ sku: "cup" });
  expect([newest.data.id, first.type, typeof change]).toEqual(["o1", "Placed", "function"]);
});
