import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { ConfigPart } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import { ok } from "#shared/result.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import { createLedger } from "../ledger.ts";
import { createSnapshots } from "./snapshots.ts";

/** A store whose writes are noted in their order, and can be made to fail. */
const notingKeyValue = () => {
  const values = new Map<string, string>();
  const writes: string[] = [];
  const state: { failing: ((key: string) => boolean) | undefined } = { failing: undefined };
  const text = (key: readonly string[]) => key.join("/");
  return {
    values,
    writes,
    state,
    get: async (key: readonly string[]) => values.get(text(key)),
    async put(key: readonly string[], value: string) {
      if (state.failing?.(text(key))) throw new Error("KV is away");
      writes.push(text(key));
      values.set(text(key), value);
    },
    remove: async (key: readonly string[]) => void values.delete(text(key)),
    async *list() {},
  };
};

const setUp = () => {
  const sql = nodeSql(new DatabaseSync(":memory:"));
  let now = 1_000_000;
  const clock = () => now;
  const ledger = createLedger({
    sql,
    clock,
    beforeChange: async () => undefined,
    afterChange: () => undefined,
  });
  const origin = ledger.origin();
  const services = new Map<string, number>();
  const configs = new Map<string, number>();
  const keyValue = notingKeyValue();
  const entries = (): ServiceEntry[] =>
    [...services].map(([service, epoch]) => ({ service, epoch, instances: [] }));
  const make = () =>
    createSnapshots({
      sql,
      keyValue,
      clock,
      random: () => 0.5,
      ledger,
      registry: {
        all: entries,
        changedSince: (epoch) => entries().filter((entry) => entry.epoch > epoch),
        prunedBefore: () => 0,
      },
      configs: {
        epochOf: ({ service }) => configs.get(service) ?? 0,
        part: async ({ service, profile }): Promise<ConfigPart> => {
          if (service.startsWith("broken")) throw new Error("its key is gone");
          return { service, profile, epoch: configs.get(service) ?? 0, value: {}, flags: {} };
        },
      },
      configsChangedAt: () => Math.max(0, ...configs.values()),
      names: () => [...configs.keys()].map((service) => ({ service, profile: "default" })),
    });
  const change = (table: Map<string, number>, ...names: string[]) =>
    ledger.change((epoch) => ok(names.forEach((name) => void table.set(name, epoch))));
  const pointer = (name: string) => JSON.parse(keyValue.values.get(`latest/${name}`) ?? "{}").epoch - origin;
  const pass = (ms: number) => {
    now += ms;
  };
  return { ...{ make, ledger, origin, services, configs, keyValue, change, pointer, pass, clock } };
};

describe("snapshots", () => {
  it("write every body before the first pointer", async () => {
    const { make, change, configs, services, keyValue, origin } = setUp();
    await change(services, "orders");
    await change(configs, "orders", "payments");
    await make().run();
    expect(keyValue.writes).toEqual([
      `snapshots/${origin + 2}/registry`,
      `snapshots/${origin + 2}/config/orders/default`,
      `snapshots/${origin + 2}/config/payments/default`,
      "latest/registry",
      "latest/config/orders/default",
      "latest/config/payments/default",
    ]);
  });

  it("write only what changed, and nothing when nothing did", async () => {
    const { make, change, configs, keyValue, pass } = setUp();
    const snapshots = make();
    await change(configs, "orders", "payments");
    await snapshots.run();
    expect(snapshots.due()).toBeUndefined();
    keyValue.writes.length = 0;
    pass(1_000);
    await change(configs, "orders");
    await snapshots.run();
    expect(keyValue.writes.map((key) => key.replace(/\d+/, "n"))).toEqual([
      "snapshots/n/config/orders/default",
      "latest/config/orders/default",
    ]);
  });

  it("are written once a second at most, however often things change", async () => {
    const { make, change, configs, pointer, pass, clock } = setUp();
    const snapshots = make();
    await change(configs, "orders");
    await snapshots.run();
    await change(configs, "orders");
    await change(configs, "orders");
    expect(snapshots.due()).toBe(clock() + LIMITS.snapshotPauseMs);
    await snapshots.run();
    expect(pointer("config/orders/default")).toBe(1);
    pass(LIMITS.snapshotPauseMs);
    await snapshots.run();
    expect(pointer("config/orders/default")).toBe(3);
  });

  it("never let a pointer name a body that could not be put", async () => {
    const { make, change, configs, keyValue, pointer, pass, clock, ledger } = setUp();
    const snapshots = make();
    await change(configs, "orders", "payments");
    keyValue.state.failing = (key) => key.startsWith("snapshots") && key.includes("orders");
    await snapshots.run();
    expect(keyValue.values.has("latest/config/orders/default")).toBe(false);
    expect(pointer("config/payments/default")).toBe(1);
    expect(snapshots.status()).toEqual({ epoch: 0, lastError: "KV is away" });

    keyValue.state.failing = undefined;
    expect(snapshots.due()).toBeGreaterThan(clock());
    pass((snapshots.due() ?? 0) - clock());
    await snapshots.run();
    expect(pointer("config/orders/default")).toBe(1);
    expect(snapshots.status()).toEqual({ epoch: ledger.epoch() });
  });

  it("wait longer after each failure, up to five seconds", async () => {
    const { make, change, configs, keyValue, pass, clock } = setUp();
    const snapshots = make();
    await change(configs, "orders");
    keyValue.state.failing = () => true;
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      await snapshots.run();
      const pause = (snapshots.due() ?? 0) - clock();
      pauses.push(pause);
      pass(pause);
    }
    expect(pauses[0]).toBe(1_000);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBeGreaterThan(3_000);
    expect(pauses.at(-1)).toBeLessThanOrEqual(5_000);
  });

  it("go on for all others when one configuration cannot be sealed", async () => {
    const { make, change, configs, pointer, keyValue } = setUp();
    const snapshots = make();
    await change(configs, "broken", "orders");
    await snapshots.run();
    expect(pointer("config/orders/default")).toBe(1);
    expect(keyValue.values.has("latest/config/broken/default")).toBe(false);
    expect(snapshots.status().lastError).toBe("its key is gone");
  });

  it("go on for all others when more cannot be sealed than one alarm tries, and for the registry first", async () => {
    const { make, change, configs, services, pointer, pass } = setUp();
    const snapshots = make();
    const broken = Array.from({ length: 2 * LIMITS.snapshotsPerRun }, (_, n) => `broken-${n}`);
    await change(configs, ...broken, "orders");
    for (let run = 0; run < 4; run++) {
      await change(services, "orders");
      await snapshots.run();
      expect(pointer("registry")).toBe(run + 2);
      pass(10_000);
    }
    expect(pointer("config/orders/default")).toBe(1);
  });

  it("remove what was superseded also while a configuration cannot be sealed", async () => {
    const { make, change, configs, keyValue, pass } = setUp();
    const snapshots = make();
    await change(configs, "broken", "orders");
    for (let run = 0; run < 3; run++) {
      await snapshots.run();
      await change(configs, "orders");
      pass(LIMITS.snapshotKeptMs + 1);
    }
    await snapshots.run();
    expect([...keyValue.values.keys()].filter((key) => /^snapshots.*orders/.test(key))).toHaveLength(2);
  });

  it("are written at once also after a clock that had been ahead", async () => {
    const { make, change, configs, pointer, pass, clock } = setUp();
    pass(86_400_000);
    await change(configs, "orders");
    pass(-86_400_000);
    const snapshots = make();
    expect(snapshots.due()).toBeLessThanOrEqual(clock());
    await snapshots.run();
    expect(pointer("config/orders/default")).toBe(1);
  });

  it("remove a body an hour after it was superseded, and never the newest one", async () => {
    const { make, change, configs, keyValue, pass, clock } = setUp();
    const snapshots = make();
    const bodies = () => [...keyValue.values.keys()].filter((key) => /^snapshots.*orders/.test(key)).length;
    await change(configs, "orders");
    await snapshots.run();
    pass(5_000);
    await change(configs, "orders");
    await snapshots.run();
    expect(bodies()).toBe(2);
    pass((snapshots.due() ?? 0) - clock() - 1);
    await snapshots.run();
    expect(bodies()).toBe(2);
    pass(1);
    await snapshots.run();
    expect(bodies()).toBe(1);
    pass(10 * LIMITS.snapshotKeptMs);
    await snapshots.run();
    expect(bodies()).toBe(1);
    expect(snapshots.due()).toBeUndefined();
  });

  it("remove what a crash left between body and pointer", async () => {
    const { make, change, configs, keyValue, pass } = setUp();
    await change(configs, "orders");
    keyValue.state.failing = (key) => key.startsWith("latest");
    await make().run();
    keyValue.state.failing = undefined;
    await change(configs, "orders");
    pass(1_000);
    await make().run();
    pass(LIMITS.snapshotKeptMs + 1);
    await make().run();
    expect([...keyValue.values.keys()].filter((key) => /^snapshots.*orders/.test(key))).toHaveLength(1);
  });

  it("take several runs for more than one alarm may write", async () => {
    const { make, change, configs, keyValue, pass, ledger } = setUp();
    const snapshots = make();
    const names = Array.from({ length: LIMITS.snapshotsPerRun + 50 }, (_, n) => `service-${n}`);
    await change(configs, ...names);
    await snapshots.run();
    expect(snapshots.status().epoch).toBe(0);
    pass(LIMITS.snapshotPauseMs);
    await snapshots.run();
    expect(snapshots.status().epoch).toBe(ledger.epoch());
    expect([...keyValue.values.keys()].filter((key) => key.startsWith("latest/config"))).toHaveLength(
      names.length,
    );
  });

  it("are written for a name that came after its configuration did", async () => {
    const { make, change, configs, services, pointer, pass, ledger } = setUp();
    const snapshots = make();
    await change(services, "orders");
    await snapshots.run();
    configs.set("late", ledger.epoch());
    expect(snapshots.due()).toBeUndefined();
    snapshots.nameAdded();
    pass(LIMITS.snapshotPauseMs);
    await snapshots.run();
    expect(pointer("config/late/default")).toBe(1);
  });
});
