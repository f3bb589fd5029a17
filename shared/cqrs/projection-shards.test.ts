import { describe, expect, it } from "vitest";
import {
  appendCommits,
  counting,
  countingProjection,
  sumsIn,
  sumsOf,
} from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import type { Commit } from "../events/event.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import type { Projection } from "./projection.ts";
import { isForShard, shardOf } from "./projection-shards.ts";

const sharded: Projection = { ...countingProjection, shards: 4 };

const setUp = async (projection: Projection, commits: number) => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers", "others");
  await appendCommits(log, commits);
  const projectors = testProjectors({ projection, log, store: memory.store });
  return { log, memory, ...projectors };
};

describe("a projection of several shards", () => {
  it("applies each commit in exactly one of them, and all of them pass all positions", async () => {
    const { memory, projection, time } = await setUp(sharded, 60);
    await projection.wake({});
    await time.pass(100);
    expect(sumsIn(memory.rows("numbers"))).toEqual(sumsOf(60, 1));
    const positions = [0, 1, 2, 3].map((shard) => memory.checkpoints.get(`numbers#${shard}`));
    expect(positions).toEqual([60, 60, 60, 60]);
    expect(await projection.wake({})).toEqual({ projection: "numbers", position: 60 });
  });

  it("spreads aggregates evenly, and has all commits of one in the same shard", () => {
    const shares = new Map<number, number>();
    const commitOf = (id: string, position: number) =>
      ({ aggregate: { type: "number", id }, position }) as Commit;
    for (let n = 0; n < 1_000; n++) {
      const shard = shardOf(commitOf(`n${n}`, 1), 4);
      expect(shardOf(commitOf(`n${n}`, 2), 4)).toBe(shard);
      shares.set(shard, (shares.get(shard) ?? 0) + 1);
    }
    expect([...shares.keys()].sort()).toEqual([0, 1, 2, 3]);
    expect(Math.min(...shares.values())).toBeGreaterThan(200);
  });

  it("holds a position only when every shard does", async () => {
    const { memory, projection, time } = await setUp(sharded, 8);
    let away = true;
    memory.around = (_, call) => call();
    const { checkpoints } = memory;
    const set = checkpoints.set.bind(checkpoints);
    checkpoints.set = (name, position) => {
      if (away && name === "numbers#2") throw new Error("shard is away");
      return set(name, position);
    };
    const answer = projection.waitFor({ position: 8, timeoutMs: 200 });
    await time.pass(200);
    expect(await answer).toBe(false);
    expect(await projection.wake({})).toMatchObject({
      position: 0,
      failure: "numbers#2: shard is away",
    });
    away = false;
    const later = projection.waitFor({ position: 8, timeoutMs: 10_000 });
    await time.pass(10_000);
    expect(await later).toBe(true);
  });

  it("is rebuilt as one, by all its shards' standing still for a moment", async () => {
    const { log, memory, projection, time, successor } = await setUp(sharded, 20);
    await projection.wake({});
    await time.pass(100);
    const next = successor({ ...sharded, version: 2, changes: counting(2) });
    await next.projection.wake({});
    await next.time.pass(1_000);
    await appendCommits(log, 5);
    await next.time.pass(1_000);
    expect(sumsIn(memory.rows("numbers"))).toEqual(sumsOf(25, 2));
    expect(await next.projection.wake({})).toEqual({ projection: "numbers", position: 25 });
  });

  it.each([0, 65, 1.5])("cannot be declared with %s", async (shards) => {
    await expect(setUp({ ...countingProjection, shards }, 1)).rejects.toThrow(RangeError);
  });
});

describe("several projections of one service", () => {
  it("follow the same log into the same read store without knowing of each other", async () => {
    const { log, memory, projection, time } = await setUp(countingProjection, 5);
    const other = testProjectors({
      projection: { name: "others", tables: ["others"], version: 3, changes: counting(3, "others") },
      log,
      store: memory.store,
      time,
    });
    await other.projection.wake({});
    await projection.wake({});
    await time.pass(100);
    await other.projection.rebuild({ keep: false });
    await appendCommits(log, 5);
    await time.pass(1_000);
    expect(sumsIn(memory.rows("numbers"))).toEqual(sumsOf(10, 1));
    expect(sumsIn(memory.rows("others"))).toEqual(sumsOf(10, 3));
    expect((await projection.details({})).rebuild).toBeUndefined();
  });
});

it("every shard hears that a data subject was forgotten, and of an aggregate one alone", () => {
  const forgotten: Commit = {
    aggregate: { type: "subject", id: "ada" },
    position: 1,
    commandId: "forget",
    trace: {},
    metadata: {},
    events: [],
  };
  const order = { ...forgotten, aggregate: { type: "order", id: "ada" } };
  const hearing = (commit: Commit) => [0, 1, 2, 3].filter((shard) => isForShard(commit, 4, shard));
  expect(hearing(forgotten)).toEqual([0, 1, 2, 3]);
  expect(hearing(order)).toEqual([shardOf(order, 4)]);
});
