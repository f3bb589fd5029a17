/** What every EventLog promises, whatever it is made of. */
import { describe, expect, it } from "vitest";
import { appendTo, type ExpectedRevision } from "#shared/events/append-to.ts";
import type { AggregateRef, Commit, DomainEvent } from "#shared/events/event.ts";
import type { Append, EventLog } from "#shared/events/event-log.ts";

export interface EventLogUnderTest {
  /** An empty log of its own for each call. */
  create(): Promise<EventLog>;
}

const AT = Date.parse("2026-01-31T12:00:00.000Z");

const order = (id: string): AggregateRef => ({ type: "order", id });

const placed = (n: number): DomainEvent => ({ type: "OrderPlaced", data: { n } });

const append = (id: string, expected: number, command: string, over: Partial<Append> = {}): Append => ({
  aggregate: order(id),
  expectedPosition: expected,
  expectedVersion: 0,
  commandId: command,
  at: AT,
  events: [placed(1)],
  trace: {},
  ...over,
});

const commitTo = (id: string, commandId: string) => {
  const { expectedPosition: _, expectedVersion: __, ...commit } = append(id, 0, commandId);
  return commit;
};

const positionOf = async (log: EventLog, commit: Append): Promise<number> => {
  const appended = await log.append(commit);
  if (!appended.ok) throw new Error(`Cannot append: ${appended.error.code}`);
  return appended.value.position;
};

/** Follows the log until it has seen so many commits. */
const follow = async (
  log: EventLog,
  after: number,
  count: number,
  batchMax = 100,
  takeBatch: () => Promise<unknown> = async () => {},
) => {
  const stop = new AbortController();
  const batches: (readonly Commit[])[] = [];
  let seen = 0;
  for await (const batch of log.tail({ after, batchMax, signal: stop.signal })) {
    batches.push(batch);
    seen += batch.length;
    await takeBatch();
    if (seen >= count) break;
  }
  stop.abort();
  return batches;
};

export const testEventLog = (name: string, { create }: EventLogUnderTest): void => {
  describe(`EventLog: ${name}`, () => {
    it("gives back what was appended: events in order, command, time, gap-free versions, trace", async () => {
      const log = await create();
      const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
      const position = await positionOf(
        log,
        append("a", 0, "c1", { events: [placed(1), placed(2)], expectedVersion: 4, trace }),
      );
      expect(await log.read(order("a"))).toEqual([
        {
          aggregate: order("a"),
          position,
          commandId: "c1",
          trace,
          metadata: {},
          events: [
            { type: "OrderPlaced", data: { n: 1 }, id: "c1/0", time: "2026-01-31T12:00:00.000Z", version: 5 },
            { type: "OrderPlaced", data: { n: 2 }, id: "c1/1", time: "2026-01-31T12:00:00.000Z", version: 6 },
          ],
        },
      ]);
    });

    it("gives back which version of its schema an event follows, and nothing of it where nothing was said", async () => {
      const log = await create();
      await positionOf(log, append("a", 0, "c1", { events: [placed(1), { ...placed(2), eventVersion: 3 }] }));
      const [commit] = await log.read(order("a"));
      expect(commit?.events.map((event) => event.eventVersion)).toEqual([undefined, 3]);
      expect(commit?.events[0]).not.toHaveProperty("eventVersion");
    });

    it("gives back a commit's metadata, and of what was not said nothing", async () => {
      const log = await create();
      const metadata = { causationId: "e/0", correlationId: "r1", actor: "mtls:CN=shop, O=x", tenant: "t1" };
      const first = await positionOf(log, append("a", 0, "c1", { metadata }));
      await positionOf(log, append("a", first, "c2", { metadata: { tenant: "t2" } }));
      const read = await log.read(order("a"));
      expect(read.map((commit) => commit.metadata)).toEqual([metadata, { tenant: "t2" }]);
      const [tailed] = (await follow(log, 0, 1)).flat();
      expect(tailed?.metadata).toEqual(metadata);
    });

    it("keeps a tenant's aggregate apart from all others, and lets no other tenant write to it", async () => {
      const log = await create();
      const acme = { metadata: { tenant: "acme" } };
      const first = await positionOf(log, append("acme.a", 0, "b.c1", acme));
      await positionOf(log, append("rival.a", 0, "b.c1", { metadata: { tenant: "rival" } }));
      await positionOf(log, append("a", 0, "b.c1"));
      await positionOf(log, append("acme", 0, "a.b.c1"));
      for (const metadata of [{}, { tenant: "rival" }]) {
        const foreign = append("acme.a", first, "c2", { metadata });
        await expect(log.append(foreign)).rejects.toThrow(RangeError);
      }
      const [commit, ...more] = await log.read(order("acme.a"));
      expect([commit?.aggregate.id, commit?.metadata, more]).toEqual(["acme.a", { tenant: "acme" }, []]);
      expect((await follow(log, 0, 4)).flat().map(({ aggregate }) => aggregate.id)).toEqual([
        "acme.a",
        "rival.a",
        "a",
        "acme",
      ]);
    });

    it("refuses metadata that a header would not keep as it is, and writes nothing", async () => {
      const log = await create();
      for (const actor of ["", " a", "ü", "a\r\nb", "x".repeat(1_025)]) {
        await expect(log.append(append("a", 0, "c1", { metadata: { actor } }))).rejects.toThrow(RangeError);
      }
      expect(await log.lastPosition()).toBe(0);
    });

    it("tells an aggregate's last commit, and that there is none", async () => {
      const log = await create();
      const first = await positionOf(log, append("a", 0, "c1", { events: [placed(1), placed(2)] }));
      expect(await log.last(order("a"))).toEqual({ position: first, version: 2, commandId: "c1" });
      await positionOf(log, append("ab", 0, "c2"));
      const third = await positionOf(log, append("a", first, "c3", { expectedVersion: 2 }));
      expect(await log.last(order("a"))).toEqual({ position: third, version: 3, commandId: "c3" });
      expect(await log.last(order("none"))).toBeUndefined();
    });

    it("appends on whatever stands, side by side, without a gap between versions or a commit lost", async () => {
      const log = await create();
      const anyhow = (commandId: string) =>
        appendTo(log, { ...commitTo("a", commandId), expected: "any", events: [placed(1), placed(2)] });
      const appended = await Promise.all(Array.from({ length: 8 }, (_, n) => anyhow(`c${n}`)));
      expect(appended.map((result) => result.ok)).toEqual(Array(8).fill(true));
      const commits = await log.read(order("a"));
      expect(commits.map(({ commandId }) => commandId).toSorted()).toEqual(
        Array.from({ length: 8 }, (_, n) => `c${n}`),
      );
      expect(commits.flatMap(({ events }) => events.map(({ version }) => version))).toEqual(
        Array.from({ length: 16 }, (_, n) => n + 1),
      );
    });

    it("takes the same command on whatever stands once, also after another came", async () => {
      const log = await create();
      const anyhow = (commandId: string) => appendTo(log, { ...commitTo("a", commandId), expected: "any" });
      const first = await anyhow("c1");
      expect(first).toMatchObject({ ok: true, value: { duplicate: false } });
      const again = first.ok && { ok: true, value: { ...first.value, duplicate: true } };
      expect(await anyhow("c1")).toEqual(again);
      await anyhow("c2");
      expect(await anyhow("c1")).toEqual(again);
      expect(await log.read(order("a"))).toHaveLength(2);
    });

    it("appends on nothing or at a known place, and else refuses and writes nothing", async () => {
      const log = await create();
      const at = (commandId: string, expected: ExpectedRevision) =>
        appendTo(log, { ...commitTo("a", commandId), expected });
      const conflict = { ok: false, error: { code: "conflict" } };
      expect(await at("c0", { position: 7, version: 1 })).toEqual(conflict);
      expect(await at("c1", "none")).toMatchObject({ ok: true });
      expect(await at("c2", "none")).toEqual(conflict);
      const last = await log.last(order("a"));
      if (!last) throw new Error("Nothing was appended");
      expect(await at("c3", last)).toMatchObject({ ok: true });
      expect(await at("c4", last)).toEqual(conflict);
      expect((await log.read(order("a"))).map(({ commandId }) => commandId)).toEqual(["c1", "c3"]);
      expect(await log.last(order("a"))).toMatchObject({ version: 2, commandId: "c3" });
    });

    it("keeps any JSON as it is: unicode, nesting, numbers, empty things", async () => {
      const log = await create();
      const data = {
        text: "Teekanne „Große“ 🫖 \u0000",
        nested: [{ a: null }, []],
        n: -0.5,
        big: 2 ** 53 - 1,
      };
      await positionOf(log, append("a", 0, "c1", { events: [{ type: "Noted", data }] }));
      expect((await log.read(order("a")))[0]?.events[0]?.data).toEqual(data);
    });

    it("refuses an append that expects another last position, and writes nothing", async () => {
      const log = await create();
      const first = await positionOf(log, append("a", 0, "c1"));
      expect(await log.append(append("a", 0, "c2"))).toEqual({ ok: false, error: { code: "conflict" } });
      expect(await log.append(append("b", first, "c3"))).toEqual({ ok: false, error: { code: "conflict" } });
      expect(await log.lastPosition()).toBe(first);
    });

    it("answers a repeated command with its first position, also after others came", async () => {
      const log = await create();
      const first = await positionOf(log, append("a", 0, "c1"));
      await positionOf(log, append("a", first, "c2"));
      expect(await log.append(append("a", 0, "c1"))).toEqual({
        ok: true,
        value: { position: first, duplicate: true },
      });
      expect(await log.read(order("a"))).toHaveLength(2);
    });

    it("takes the same command id on different aggregates as different commands", async () => {
      const log = await create();
      await positionOf(log, append("a", 0, "c1"));
      const appended = await log.append(append("b", 0, "c1"));
      expect(appended).toMatchObject({ ok: true, value: { duplicate: false } });
    });

    it("lets exactly one of many appends with the same expectation win", async () => {
      const log = await create();
      const appends = Array.from({ length: 16 }, (_, n) => log.append(append("a", 0, `c${n}`)));
      const results = await Promise.all(appends);
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect(results.filter((result) => !result.ok && result.error.code === "conflict")).toHaveLength(15);
      expect(await log.read(order("a"))).toHaveLength(1);
    });

    it("reads an aggregate's commits after a position, and none of another's", async () => {
      const log = await create();
      const first = await positionOf(log, append("a", 0, "c1"));
      await positionOf(log, append("ab", 0, "c2"));
      const third = await positionOf(log, append("a", first, "c3"));
      expect((await log.read(order("a"), { after: first })).map(({ position }) => position)).toEqual([third]);
      expect(await log.read(order("a"), { after: third })).toEqual([]);
      expect(await log.read(order("none"))).toEqual([]);
    });

    it("reads a long history whole and in order", async () => {
      const log = await create();
      const positions: number[] = [];
      for (let n = 0; n < 600; n++) {
        positions.push(await positionOf(log, append("a", positions.at(-1) ?? 0, `c${n}`)));
        if (n % 7 === 0) await positionOf(log, append(`other-${n}`, 0, `o${n}`));
      }
      expect((await log.read(order("a"))).map(({ position }) => position)).toEqual(positions);
    });

    it("reads at most as many commits as were asked for, the oldest", async () => {
      const log = await create();
      const positions: number[] = [];
      for (let n = 0; n < 60; n++)
        positions.push(await positionOf(log, append("a", positions.at(-1) ?? 0, `c${n}`)));
      for (const most of [1, 16, 17, 40, 60, 61]) {
        const commits = await log.read(order("a"), { most });
        expect(commits.map(({ position }) => position)).toEqual(positions.slice(0, most));
      }
      const [after = 0] = positions;
      expect((await log.read(order("a"), { after, most: 1 }))[0]?.position).toBe(positions[1]);
    });

    it("refuses ids that could name another aggregate's history", async () => {
      const log = await create();
      for (const id of ["a.b.c", ".b", "a.", "a.*", "*", ">", "", "a b", "ü", "x".repeat(65)]) {
        await expect(Promise.resolve().then(() => log.append(append(id, 0, "c1")))).rejects.toThrow(
          RangeError,
        );
        await expect(Promise.resolve().then(() => log.read(order(id)))).rejects.toThrow(RangeError);
      }
    });

    it("tails the whole log in order from a position, in bounded batches", async () => {
      const log = await create();
      const positions: number[] = [];
      for (let n = 0; n < 25; n++) positions.push(await positionOf(log, append(`a${n}`, 0, `c${n}`)));
      const after = positions[4] ?? 0;
      const batches = await follow(log, after, 20, 8);
      expect(batches.flat().map(({ position }) => position)).toEqual(positions.slice(5));
      expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(8);
      expect(batches.every(({ length }) => length > 0)).toBe(true);
    });

    it("tails to the last commit however many there are, also when what takes them is slow", async () => {
      const log = await create();
      const counts = [510, 1_005, 1_200, 2_310];
      const all = Math.max(...counts);
      const appends = Array.from(
        { length: all },
        (_, n) => () => positionOf(log, append(`a${n}`, 0, `c${n}`)),
      );
      while (appends.length > 0) await Promise.all(appends.splice(0, 100).map((start) => start()));
      for (const count of counts) {
        const batches = await follow(log, all - count, count, 500, () => log.lastPosition());
        expect(batches.flat()).toHaveLength(count);
        expect(batches.flat().at(-1)?.position).toBe(all);
      }
    });

    it("tails what is appended while it is followed", async () => {
      const log = await create();
      const following = follow(log, 0, 3);
      for (let n = 0; n < 3; n++) await positionOf(log, append(`a${n}`, 0, `c${n}`));
      expect((await following).flat().map(({ commandId }) => commandId)).toEqual(["c0", "c1", "c2"]);
    });

    it("ends a tail that waits when its signal aborts", async () => {
      const log = await create();
      const stop = new AbortController();
      const tail = (async () => {
        for await (const _ of log.tail({ after: 0, batchMax: 10, signal: stop.signal }));
        return "ended";
      })();
      await log.lastPosition();
      stop.abort();
      expect(await tail).toBe("ended");
    });

    it("tells the newest position, 0 for an empty log", async () => {
      const log = await create();
      expect(await log.lastPosition()).toBe(0);
      const position = await positionOf(log, append("a", 0, "c1"));
      expect(await log.lastPosition()).toBe(position);
    });

    it("tells the position of a time: of the first commit written then or later, or the next one's", async () => {
      const log = await create();
      /** Whatever is written from now on is later than whatever was written before. */
      const between = async () => {
        const began = Date.now();
        while (Date.now() <= began + 1) await log.lastPosition();
        return Date.now();
      };
      expect(await log.positionAt(Date.now())).toBe(1);
      const before = await between();
      const first = await positionOf(log, append("a", 0, "c1"));
      const amid = await between();
      const second = await positionOf(log, append("b", 0, "c2"));
      const after = await between();
      expect(await log.positionAt(0)).toBe(first);
      expect(await log.positionAt(before)).toBe(first);
      expect(await log.positionAt(amid)).toBe(second);
      expect(await log.positionAt(after)).toBe(second + 1);
      expect(await log.positionAt(after + 3_600_000)).toBe(second + 1);
    });
  });
};
