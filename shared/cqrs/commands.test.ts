import fc from "fast-check";
import { v7 as uuidv7 } from "uuid";
import { describe, expect, it } from "vitest";
import { err, ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import type { CommandMethods, CommandRequest } from "./command-actor.ts";
import { commands } from "./commands.ts";
import type { KeyRequest } from "./idempotency-keys.ts";

/** Shards that note what reaches them and remember keys. */
const setUp = (shards: number) => {
  const executed: { shard: string; request: CommandRequest }[] = [];
  const keys = new Map<string, KeyRequest>();
  const actors = {
    named: (shard: string): CommandMethods => ({
      async execute(request) {
        executed.push({ shard, request });
        return ok({ position: 1, events: [], duplicate: false });
      },
      async reserve(request) {
        const known = keys.get(`${shard} ${request.key}`);
        if (known && known.fingerprint !== request.fingerprint)
          return err({ code: "idempotency_key_reused", detail: "other" });
        keys.set(`${shard} ${request.key}`, known ?? request);
        return ok({ id: (known ?? request).id, fresh: !known, reservedAt: 7 });
      },
      history: async () => ok([]),
      state: async () => ok({ position: 0, version: 0, json: "{}", schema: 0 }),
      ready: async () => ok({ position: 0 }),
    }),
  };
  return { ...commands({ actors, shards }), executed };
};

const command = (id: string): CommandRequest => ({ type: "order", id, commandId: "c", command: {} });
const keyed = (key: string, id: string | (() => string), fingerprint = "body") => ({
  type: "order",
  command: (drawn: string) => ({ for: drawn }),
  key,
  fingerprint,
  id,
});

describe("commands", () => {
  it("of one aggregate always meet the same shard", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 64 }), async (id, shards) => {
        const { execute, executed } = setUp(shards);
        await execute(command(id));
        await execute(command(id));
        expect(executed[0]?.shard).toBe(executed[1]?.shard);
        expect(Number(executed[0]?.shard.slice("shard-".length))).toBeLessThan(shards);
      }),
    );
  });

  it("spread evenly over the shards, with ids that differ little", async () => {
    const { execute, executed } = setUp(8);
    for (let n = 0; n < 4_000; n++) await execute(command(`sku-${n}`));
    const counts = Map.groupBy(executed, ({ shard }) => shard);
    expect(counts.size).toBe(8);
    for (const { length } of counts.values()) expect(Math.abs(length - 500)).toBeLessThan(100);
  });
});

describe("a command with a key", () => {
  it("draws an id that falls into the shard which remembers the key", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 16 }), async (key, shards) => {
        const { execute, executeOnce, executed } = setUp(shards);
        const result = await executeOnce(keyed(key, uuidv7));
        if (!result.ok) throw new Error(result.error.detail);
        await execute(command(result.value.id));
        expect(executed[1]?.shard).toBe(executed[0]?.shard);
      }),
    );
  });

  it("repeated, goes to the first id as the same command, and is no longer said to be new", async () => {
    const { executeOnce, executed } = setUp(4);
    await executeOnce(keyed("k", uuidv7));
    await executeOnce(keyed("k", uuidv7));
    const [first, second] = executed.map(({ request }) => request);
    expect(first).toMatchObject({ commandId: "key-k-7", key: "k", isNew: true, command: { for: first?.id } });
    expect(second).toEqual({ ...first, isNew: false });
  });

  it("for an aggregate that stands is kept by that aggregate's shard, and never said to be new", async () => {
    const { execute, executeOnce, executed } = setUp(16);
    await executeOnce(keyed("k", "order-1"));
    await execute(command("order-1"));
    expect(executed[0]).toMatchObject({
      shard: executed[1]?.shard,
      request: { id: "order-1", isNew: false },
    });
  });

  it("that came with another request is refused and executes nothing", async () => {
    const { executeOnce, executed } = setUp(4);
    await executeOnce(keyed("k", uuidv7));
    expect(await executeOnce(keyed("k", uuidv7, "other body"))).toMatchObject({
      error: { code: "idempotency_key_reused" },
    });
    expect(executed).toHaveLength(1);
  });

  it("whose ids never fall into the shard fails instead of going round for ever", async () => {
    const { executeOnce, execute, executed } = setUp(2);
    await execute(command("always"));
    const shard = executed[0]?.shard;
    const elsewhere = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];
    const failures: unknown[] = [];
    for (const key of elsewhere)
      await executeOnce(keyed(key, () => "always")).catch((error) => failures.push(error));
    expect(failures.length).toBeGreaterThan(0);
    expect(String(failures[0])).toContain("Cannot draw an id");
    expect(executed.every((each) => each.shard === shard)).toBe(true);
  });
});

describe("a shard that cannot be reached", () => {
  const reaching = (failure: Error) => {
    const fails = () => Promise.reject(failure);
    const methods: CommandMethods = {
      execute: fails,
      reserve: fails,
      history: fails,
      state: fails,
      ready: fails,
    };
    return commands({ actors: { named: () => methods }, shards: 4 });
  };
  const calls: [string, (all: ReturnType<typeof reaching>) => Promise<unknown>][] = [
    ["execute", ({ execute }) => execute(command("a"))],
    ["executeOnce", ({ executeOnce }) => executeOnce(keyed("k", uuidv7))],
    ["history", ({ history }) => history({ type: "order", id: "a" })],
    ["state", ({ state }) => state({ type: "order", id: "a" })],
    ["ready", ({ ready }) => ready()],
  ];

  it.each(calls)("makes %s answer unavailable", async (_, call) => {
    const away = new ActorUnavailable("away");
    expect(await call(reaching(away))).toEqual(err({ code: "unavailable", detail: "away" }));
  });

  it.each(calls)("is not what a defect is taken for by %s", async (_, call) => {
    const defect = new Error("no such thing");
    await expect(call(reaching(defect))).rejects.toBe(defect);
  });
});
