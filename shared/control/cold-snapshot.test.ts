import { expect, test } from "vitest";
import type { KeyValue } from "../storage/key-value.ts";
import type { Changes, ConfigPart } from "./changes.ts";
import { coldSnapshot } from "./cold-snapshot.ts";
import { configPointer, configSnapshot, REGISTRY_POINTER, registrySnapshot } from "./snapshot-keys.ts";

const registry: Changes = { epoch: 7, changedAt: 70, services: [], whole: true };
const config: ConfigPart = { service: "orders", profile: "default", epoch: 9, value: { a: 1 }, flags: {} };

const reading = (...entries: readonly (readonly [readonly string[], unknown])[]) => {
  const stored = new Map(entries.map(([key, value]) => [key.join("/"), JSON.stringify(value)]));
  const snapshots = { get: async (key: readonly string[]) => stored.get(key.join("/")) } as KeyValue;
  return coldSnapshot({ snapshots, service: "orders", profile: "default" })();
};
const registryEntries = [
  [REGISTRY_POINTER, { epoch: 7 }],
  [registrySnapshot(7), registry],
] as const;
const configEntries = [
  [configPointer("orders", "default"), { epoch: 9 }],
  [configSnapshot(9, "orders", "default"), config],
] as const;

test("registry and configuration are one answer, of the newer one's epoch", async () => {
  expect(await reading(...registryEntries, ...configEntries)).toEqual({ ...registry, epoch: 9, config });
});

test("a service that was never configured has its registry all the same, and the other way round", async () => {
  expect(await reading(...registryEntries)).toEqual(registry);
  expect(await reading(...configEntries)).toMatchObject({ epoch: 9, services: [], config });
});

test("without any there is none", async () => {
  expect(await reading()).toBeUndefined();
});

test("a pointer whose body is not there yet is no snapshot", async () => {
  await expect(reading(...registryEntries, configEntries[0])).rejects.toThrow(
    'Reading the snapshot "snapshots/9/config/orders/default"',
  );
});
