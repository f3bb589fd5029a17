import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { testActorContext } from "#test/fake/actor-context.ts";
import type { Commit } from "../events/event.ts";
import type { Append, EventLog } from "../events/event-log.ts";
import { LogUnavailable } from "../events/event-log.ts";
import { type EventTypes, event } from "../events/event-types.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { typedEventLog } from "../events/typed-event-log.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { actorSubjectKeys } from "./actor-subject-keys.ts";
import { erasableLog, withoutPersonal } from "./erasable-log.ts";
import { personal } from "./personal.ts";
import { SUBJECT_EVENTS } from "./subject.ts";
import { cachedSubjectKeys, type SubjectKeys } from "./subject-keys.ts";
import { subjectKeysActor } from "./subject-keys-actor.ts";

const V1 = {
  ...SUBJECT_EVENTS,
  Met: event({ who: z.string(), note: personal(z.string(), { subject: "who" }) }),
};
const TYPES = {
  ...V1,
  Met: V1.Met.next(
    (v1) => ({
      who: v1.who,
      words: personal(z.array(z.string()), { subject: "who" }),
    }),
    ({ who, note }) => ({ who, words: note === null ? null : note.split(" ") }),
  ),
};

let raw: EventLog;
let keys: SubjectKeys;
let named: () => ReturnType<typeof subjectKeysActor>["methods"];
beforeEach(() => {
  raw = memoryEventLog();
  const { methods } = subjectKeysActor({ context: testActorContext(), sealer: undefined, clock: () => 0 });
  named = () => methods;
  keys = actorSubjectKeys({ named: () => named() });
});

/** Another Actor's view of the log. */
const logOf = (types: EventTypes = TYPES, opens = true) => {
  const cached = cachedSubjectKeys({ keys, clock: () => 0 });
  return { ...typedEventLog(erasableLog(raw, { types, keys: cached, opens }), types), keys: cached };
};

const meeting = { type: "meeting", id: "m" };
const commit = (n: number, ...events: Append["events"]): Append => ({
  aggregate: meeting,
  expectedPosition: n - 1,
  expectedVersion: n - 1,
  commandId: `c${n}`,
  at: 0,
  events,
  trace: {},
});
const met = (who: string, words: readonly string[] | null) => ({ type: "Met", data: { who, words } });
const dataOf = (commits: readonly Commit[]) =>
  commits.flatMap(({ events }) => events.map(({ data }) => data));

const forgetting = (subject: string): Append => ({
  aggregate: { type: "subject", id: subject },
  expectedPosition: 0,
  expectedVersion: 0,
  commandId: "forget",
  at: 0,
  events: [{ type: "SubjectForgotten", data: { subject } }],
  trace: {},
});

const tailed = async (log: EventLog, count: number): Promise<Commit[]> => {
  const commits: Commit[] = [];
  const stop = new AbortController();
  for await (const batch of log.tail({ after: 0, batchMax: 100, signal: stop.signal })) {
    commits.push(...batch);
    if (commits.length >= count) break;
  }
  return commits;
};

describe("an erasable log", () => {
  it("shows what was written, also long after in another version, and holds nothing of it in the clear", async () => {
    await logOf(V1).append(commit(1, { type: "Met", data: { who: "ada", note: "was glad" } }));
    await logOf().append(commit(2, met("ada", ["secret"]), met("bob", null)));
    const stored = JSON.stringify(await raw.read(meeting));
    for (const clear of ["glad", "secret"]) expect(stored).not.toContain(clear);
    expect(stored).toContain('"who":"ada"');
    const expected = [
      { who: "ada", words: ["was", "glad"] },
      { who: "ada", words: ["secret"] },
      { who: "bob", words: null },
    ];
    expect(dataOf(await logOf().read(meeting))).toEqual(expected);
    expect(dataOf(await tailed(logOf(), 2))).toEqual(expected);
  });

  it("reads null once the subject is forgotten, and nobody else's values", async () => {
    await logOf().append(commit(1, met("ada", ["a"]), met("bob", ["b"])));
    await keys.forget("ada");
    const expected = [
      { who: "ada", words: null },
      { who: "bob", words: ["b"] },
    ];
    expect(dataOf(await logOf().read(meeting))).toEqual(expected);
    expect(dataOf(await tailed(logOf(), 1))).toEqual(expected);
  });

  it("holds each tenant's subjects apart: one of the same name is another one, and is not forgotten with the first", async () => {
    const of = (tenant: string) => ({
      aggregate: { type: "meeting", id: `${tenant}.m` },
      metadata: { tenant },
    });
    const writer = logOf();
    const reader = logOf();
    const acme = { ...commit(1, met("ada", ["acme"])), ...of("acme") };
    const rival = { ...commit(1, met("ada", ["rival"])), ...of("rival") };
    await writer.append(acme);
    await writer.append(rival);
    const words = async (log: EventLog) =>
      dataOf([...(await log.read(acme.aggregate)), ...(await log.read(rival.aggregate))]).map(
        (data) => (data as { words: unknown }).words,
      );
    expect(await words(reader)).toEqual([["acme"], ["rival"]]);
    await keys.forget("acme.ada");
    const aggregate = { type: "subject", id: "acme.ada" };
    await writer.append({ ...forgetting("ada"), aggregate, metadata: { tenant: "acme" } });
    await tailed(reader, 3);
    expect([await words(writer), await words(reader), await words(logOf())]).toEqual(
      Array(3).fill([null, ["rival"]]),
    );
    expect(await writer.append({ ...rival, commandId: "c2", expectedPosition: 2 })).toMatchObject({
      ok: true,
    });
    expect(await writer.append({ ...acme, commandId: "c3" })).toMatchObject({ error: { code: "forgotten" } });
  });

  it("refuses what is personal of somebody forgotten, writes nothing, and takes what is not", async () => {
    await keys.forget("ada");
    const log = logOf();
    expect(await log.append(commit(1, met("bob", ["b"]), met("ada", ["a"])))).toEqual({
      ok: false,
      error: { code: "forgotten", detail: expect.stringContaining('"ada"') },
    });
    expect(await raw.lastPosition()).toBe(0);
    expect(await log.append(commit(1, met("ada", null)))).toMatchObject({ ok: true });
  });

  it("hears by itself that somebody was forgotten: what comes after in the log is not read with a remembered key", async () => {
    const reader = logOf();
    const writer = logOf();
    await writer.append(commit(1, met("ada", ["before"])));
    expect(dataOf(await reader.read(meeting))).toEqual([{ who: "ada", words: ["before"] }]);
    await keys.forget("ada");
    await raw.append(forgetting("ada"));
    // The writer still has the key, and is late.
    expect(await writer.append({ ...commit(2, met("ada", ["after"])), expectedPosition: 1 })).toMatchObject({
      ok: true,
    });
    const commits = await tailed(reader, 3);
    expect(dataOf(commits)).toEqual([
      { who: "ada", words: null },
      { subject: "ada" },
      { who: "ada", words: null },
    ]);
    expect(await reader.keys.toWrite("ada")).toBe("forgotten");
  });

  it("gives who may not see personal values null in their places, and asks for no key", async () => {
    await logOf().append(commit(1, met("ada", ["a"])));
    named = () => Promise.reject(new Error("asked")) as never;
    expect(dataOf(await logOf(TYPES, false).read(meeting))).toEqual([{ who: "ada", words: null }]);
    const without = typedEventLog(erasableLog(raw, { types: TYPES, opens: true }), TYPES);
    expect(dataOf(await without.read(meeting))).toEqual([{ who: "ada", words: null }]);
    await expect(without.append(commit(2, met("ada", ["b"])))).rejects.toThrow(
      "expected keys of data subjects",
    );
  });

  it("is unavailable while the keys cannot be reached, and loses nothing", async () => {
    await logOf().append(commit(1, met("ada", ["a"])));
    const reachable = named;
    named = () => {
      throw new ActorUnavailable("gone");
    };
    await expect(logOf().read(meeting)).rejects.toThrow(LogUnavailable);
    expect(await logOf().append(commit(2, met("ada", ["b"])))).toMatchObject({
      ok: false,
      error: { code: "unavailable" },
    });
    named = reachable;
    expect(dataOf(await logOf().read(meeting))).toEqual([{ who: "ada", words: ["a"] }]);
  });

  it("opens no value at another place than its own, and none that was changed", async () => {
    await logOf().append(commit(1, met("ada", ["a"]), met("ada", ["b"])));
    const [stored] = await raw.read(meeting);
    const sealed = (stored?.events ?? []).map(({ data }) => (data as { words: string }).words);
    const [one = "", two = ""] = sealed;
    const flipped = `${one.slice(0, -2)}${one.at(-2) === "A" ? "B" : "A"}${one.slice(-1)}`;
    for (const words of [two, flipped, one.slice(0, -4), `${one}AAAA`]) {
      raw = memoryEventLog();
      await raw.append(commit(1, { type: "Met", data: { who: "ada", words }, eventVersion: 2 }));
      await expect(logOf().read(meeting)).rejects.toThrow('Cannot open "words" of the event "c1/0"');
    }
    raw = memoryEventLog();
    await raw.append(commit(1, { type: "Met", data: { who: "ada", words: one }, eventVersion: 2 }));
    expect(dataOf(await logOf().read(meeting))).toEqual([{ who: "ada", words: ["a"] }]);
    // As somebody else's it is under a key that is not theirs.
    raw = memoryEventLog();
    await keys.toWrite("bob");
    await raw.append(commit(1, { type: "Met", data: { who: "bob", words: one }, eventVersion: 2 }));
    expect(dataOf(await logOf().read(meeting))).toEqual([{ who: "bob", words: null }]);
  });

  it("shows nothing that was never sealed", async () => {
    await raw.append(commit(1, { type: "Met", data: { who: "ada", words: ["clear"] }, eventVersion: 2 }));
    expect(dataOf(await logOf().read(meeting))).toEqual([{ who: "ada", words: null }]);
  });

  it("gives back any JSON as it was", async () => {
    const types = { Said: event({ who: z.string(), what: personal(z.json(), { subject: "who" }) }) };
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (what) => {
        raw = memoryEventLog();
        const plain = JSON.parse(JSON.stringify(what)) as object;
        await logOf(types).append(commit(1, { type: "Said", data: { who: "ada", what: plain } }));
        expect(dataOf(await logOf(types).read(meeting))).toEqual([{ who: "ada", what: plain }]);
      }),
      { numRuns: 50 },
    );
  });

  it("lets nothing personal of a commit stay that was just decided, which says no versions", () => {
    const { aggregate, commandId, trace } = commit(1);
    const events = [{ ...met("ada", ["a"]), id: "c1/0", time: "", version: 1 }];
    const decided: Commit = { aggregate, commandId, trace, position: 1, metadata: {}, events };
    expect(dataOf([withoutPersonal(TYPES)(decided)])).toEqual([{ who: "ada", words: null }]);
  });

  it("is the log itself where nothing is personal", () => {
    expect(erasableLog(raw, { types: SUBJECT_EVENTS, opens: true })).toBe(raw);
  });
});
