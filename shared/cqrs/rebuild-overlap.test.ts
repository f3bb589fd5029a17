import { describe, expect, it } from "vitest";
import { testActorContext } from "#test/fake/actor-context.ts";
import {
  appendCommits,
  counting,
  countingProjection,
  sumsIn,
  sumsOf,
} from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import type { Projection } from "./projection.ts";
import { projectorActor } from "./projector-actor.ts";

const first = countingProjection;
const second: Projection = { ...first, version: 2, changes: counting(2) };
const PAGE = { limit: 100 };

/** As `counting`, but for what it cannot apply. */
const refusing =
  (step: number, refused: number): Projection["changes"] =>
  (commits) => {
    if (commits.some(({ position }) => position === refused)) throw new Error("no such column");
    return counting(step)(commits);
  };

const begin = async (projection: Projection, commits: number) => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, commits);
  const projectors = testProjectors({ projection, log, store: memory.store });
  await projectors.projection.wake({});
  await projectors.time.pass(5_000);
  const sums = () => sumsIn(memory.rows("numbers"));
  return { log, memory, projectors, sums };
};

describe("an Actor that lives on beside its successor", () => {
  it.each([1, 3])(
    "writes no row of the former version after the take-over, with %i shards",
    async (shards) => {
      const { log, memory, projectors, sums } = await begin({ ...first, shards }, 5);
      const { time } = projectors;
      const next = testProjectors({ projection: { ...second, shards }, log, store: memory.store, time });
      await next.projection.wake({});
      await time.pass(1_000);
      expect(sums()).toEqual(sumsOf(5, 2));
      // Both follow the log from here: who was there first is no matter.
      await appendCommits(log, 20);
      await time.pass(1_000);
      expect(sums().every(([, sum]) => sum === 2)).toBe(true);
    },
  );

  it("writes no row while its successor takes over, so that none is lifted over", async () => {
    const { log, memory, projectors, sums } = await begin({ ...first, shards: 3 }, 5);
    const { time } = projectors;
    const next = testProjectors({ projection: { ...second, shards: 3 }, log, store: memory.store, time });
    memory.around = async (method, call) => {
      if (method !== "takeOver") return call();
      memory.around = (_, each) => each();
      await appendCommits(log, 9);
      await time.pass(200);
      expect(sums()).toEqual(sumsOf(5, 1));
      return call();
    };
    await next.projection.wake({});
    await time.pass(2_000);
    projectors.die();
    await time.pass(5_000);
    expect(sums()).toEqual(sumsOf(14, 2));
  });

  it("takes nobody's place, and drops nobody's copy, by a statement that comes late", async () => {
    const { memory, projectors, sums } = await begin(first, 5);
    const late: (() => Promise<unknown>)[] = [];
    memory.around = async (_, call) => {
      late.push(call);
      return call();
    };
    const next = projectors.successor(second);
    await next.projection.wake({});
    await next.time.pass(1_000);
    const back = next.successor(first);
    await back.projection.wake({});
    await back.time.pass(1_000);
    const last = back.successor({ ...first, version: 3, changes: counting(3) });
    memory.around = async (method, call) => {
      // In the middle of a rebuild, all that was ever said before is said again.
      if (method === "takeOver") {
        memory.around = (_, each) => each();
        for (const each of late) await each().catch(() => undefined);
      }
      return call();
    };
    await last.projection.wake({});
    await last.time.pass(1_000);
    expect(memory.tables()).toEqual(["numbers"]);
    expect(sums()).toEqual(sumsOf(5, 3));
    for (const each of late) await each().catch(() => undefined);
    expect(memory.tables()).toEqual(["numbers"]);
    expect(sums()).toEqual(sumsOf(5, 3));
    expect(await last.projection.wake({})).toMatchObject({ position: 5 });
  });
});

describe("a take-over", () => {
  it.each(["dropCopies", "createCopies"])(
    "is not undone by %s of its own Actor, that had no answer and comes late",
    async (what) => {
      const { memory, projectors, sums } = await begin(first, 5);
      const late: (() => Promise<unknown>)[] = [];
      memory.around = async (method, call) => {
        if (method === what && late.length === 0) {
          late.push(call);
          throw new Error("no answer");
        }
        // Still in the middle: the take-over itself has the fence anew.
        if (method === "copiesFit") for (const each of late) expect(await each()).toBe("moved");
        return call();
      };
      const next = projectors.successor(second);
      await next.projection.wake({});
      await next.time.pass(5_000);
      expect(late).toHaveLength(1);
      expect(sums()).toEqual(sumsOf(5, 2));
      expect(await next.projection.details({})).toMatchObject({ rebuild: { phase: "done" } });
    },
  );

  it.each([0, 1, 2])(
    "is not made when the checkpoint of shard %i is elsewhere, but all over again",
    async (shard) => {
      const { memory, projectors, sums } = await begin({ ...first, shards: 3 }, 5);
      const answers: unknown[] = [];
      memory.around = async (method, call) => {
        if (method === "takeOver" && answers.length === 0) memory.checkpoints.set(`numbers#${shard}`, 4);
        const answer = await call();
        if (method === "takeOver") answers.push(answer);
        return answer;
      };
      const next = projectors.successor({ ...second, shards: 3 });
      await next.projection.wake({});
      await next.time.pass(5_000);
      expect(answers).toEqual(["moved", "taken"]);
      expect(sums()).toEqual(sumsOf(5, 2));
      expect(await next.projection.wake({})).toMatchObject({ position: 5 });
    },
  );

  it("that was begun is given up by code of another version, which could not fill the rest", async () => {
    const { log, memory, projectors, sums } = await begin(first, 5);
    const next = projectors.successor(second);
    memory.around = async (method, call) => {
      const answer = await call();
      // The read model is at 5, the copy as well; then a crash, and one more commit that a copy would need.
      if (method === "apply" && (memory.checkpoints.get("numbers!build") ?? 0) < 0) next.die();
      return answer;
    };
    await next.projection.wake({});
    await next.time.pass(1_000);
    memory.around = (_, call) => call();
    await appendCommits(log, 1);
    memory.checkpoints.set("numbers", 6);
    const third = next.successor({ ...first, version: 3, changes: counting(3) });
    const made: string[] = [];
    memory.around = async (method, call) => {
      made.push(method);
      return call();
    };
    await third.projection.wake({});
    await third.time.pass(5_000);
    expect(made.filter((method) => method === "takeOver")).toHaveLength(1);
    expect(sums()).toEqual(sumsOf(6, 3));
  });
});

describe("another number of shards, deployed in the middle of a take-over", () => {
  const parking: Projection = { ...second, onFailure: "park", changes: refusing(2, 3) };

  /** One Actor's rebuild, ended by death right after the copy has taken the tables' names. */
  const dieTaken = async (shards: number) => {
    const begun = await begin({ ...first, shards, onFailure: "park" }, 5);
    const { memory, projectors } = begun;
    const next = projectors.successor({ ...parking, shards });
    memory.around = async (method, call) => {
      const answer = await call();
      if (method === "takeOver") next.die();
      return answer;
    };
    await next.projection.wake({});
    await next.time.pass(10_000);
    memory.around = (_, call) => call();
    expect(memory.checkpoints.get("numbers!build")).toBeLessThan(0);
    return { ...begun, next };
  };

  it.each([
    [1, 3],
    [3, 1],
    [2, 3],
    [3, 2],
  ])("from %i to %i: what the copy had parked is known when it is deployed back", async (from, to) => {
    const { next, memory, sums, log } = await dieTaken(from);
    // Nothing but what was begun is ended by it: a copy of its own it cannot make yet.
    const other = next.successor({ ...parking, shards: to });
    memory.around = async (method, call) => {
      if (method === "createCopies") throw new Error("no room");
      return call();
    };
    await other.projection.wake({});
    await other.time.pass(5_000);
    expect(memory.checkpoints.get("numbers!build")).toBe(2 * 64 + from - 1);
    const back = other.successor({ ...parking, shards: from });
    await back.projection.wake({});
    await appendCommits(log, 2);
    await back.time.pass(5_000);
    expect((await back.projection.parked(PAGE)).map(({ position }) => position)).toEqual([3]);
    expect(sums()).toEqual(sumsOf(7, 2).filter(([n]) => n !== 3));
  });

  it("is followed by a rebuild for that number, which loses and doubles nothing", async () => {
    const { next, sums, log } = await dieTaken(1);
    const other = next.successor({ ...parking, shards: 3 });
    await other.projection.wake({});
    await appendCommits(log, 4);
    await other.time.pass(10_000);
    expect(await other.projection.wake({})).toEqual({ projection: "numbers", position: 9, parked: 1 });
    expect(sums()).toEqual(sumsOf(9, 2).filter(([n]) => n !== 3));
  });

  it("finds a copy that one of another number has filled since, and fills it anew with what it parks", async () => {
    const { log, memory, projectors, sums } = await begin({ ...first, onFailure: "park" }, 5);
    memory.around = async (method, call) => {
      if (method === "copiesFit") throw new Error("not yet");
      return call();
    };
    const one = projectors.successor(parking);
    await one.projection.wake({});
    await one.time.pass(3_000);
    const three = one.successor({ ...parking, shards: 3 });
    await three.projection.wake({});
    await appendCommits(log, 1);
    await three.time.pass(3_000);
    memory.around = (_, call) => call();
    const back = three.successor({ ...parking, changes: counting(2) });
    await back.projection.wake({});
    await back.time.pass(10_000);
    expect(await back.projection.parked(PAGE)).toEqual([]);
    expect(sums()).toEqual(sumsOf(6, 2));
  });
});

describe("rows that are on their way while a read model is rebuilt", () => {
  it("are not made in the tables that came, though those are of the same version and at the same position", async () => {
    const { log, memory, projectors, sums } = await begin(first, 5);
    const { projection, time } = projectors;
    await projection.rebuild({ keep: false });
    await time.pass(2_000);
    const late: (() => Promise<unknown>)[] = [];
    memory.around = async (method, call) => {
      if (method !== "apply") return call();
      late.push(call);
      throw new Error("no answer");
    };
    await appendCommits(log, 1);
    await time.pass(100);
    memory.around = (_, call) => call();
    await projection.rebuild({ keep: false });
    await time.pass(10_000);
    expect(sums()).toEqual(sumsOf(6, 1));
    // As a log's end that was told too early would have it.
    memory.checkpoints.set("numbers", 5);
    for (const each of late) expect(await each()).toBe("moved");
    expect(late.length).toBeGreaterThan(0);
  });
});

describe("a read model of another number of shards", () => {
  it("is replaced by one that holds as much, also where its Actor goes on until then", async () => {
    const { log, memory, projectors, sums } = await begin(first, 5);
    const { time } = projectors;
    const next = testProjectors({ projection: { ...second, shards: 3 }, log, store: memory.store, time });
    let taken: number[][] = [];
    let before: number[][] = [];
    memory.around = async (method, call) => {
      if (method === "copiesFit") {
        await appendCommits(log, 1);
        await time.pass(100);
        before = sums();
      }
      const answer = await call();
      if (method === "takeOver") taken = sums();
      return answer;
    };
    await next.projection.wake({});
    await time.pass(2_000);
    expect(before).toEqual(sumsOf(6, 1));
    expect(taken).toEqual(sumsOf(6, 2));
  });
});

describe("an Actor of another number of shards than are declared", () => {
  it.each([
    ["numbers", 3],
    ["numbers#2", 1],
    ["numbers#2", 2],
  ])("%s does nothing by itself, of %i", async (name, shards) => {
    const log = memoryEventLog();
    const memory = memoryReadStore("numbers");
    await appendCommits(log, 5);
    const context = testActorContext({ name });
    const { alarm } = projectorActor({
      context,
      projection: { ...first, shards },
      source: "orders",
      log,
      store: memory.store,
      peers: { named: (peer) => expect.unreachable(`"${peer}" was called`) },
      clock: context.time.clock,
      random: () => 0.5,
      sleep: context.sleep,
    });
    await alarm?.();
    expect(memory.rows("numbers")).toEqual([]);
    expect([...memory.checkpoints]).toEqual([]);
    expect(context.alarmAt()).toBeUndefined();
  });
});
