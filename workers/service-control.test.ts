import { OpenFeature, ProviderEvents } from "@openfeature/server-sdk";
import { afterAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { flagTableSchema } from "#shared/config/flags/flag.ts";
import { newKey, sealer } from "#shared/config/sealing.ts";
import type { Changes, Look } from "#shared/control/changes.ts";
import { CATALOG_CONFIG } from "./catalog/contract.ts";
import { INVENTORY_CONFIG } from "./inventory/contract.ts";
import { ACCEPT_ORDERS_FLAG, ORDERS_CONFIG } from "./orders/contract.ts";
import { PAYMENTS_CONFIG } from "./payments/contract.ts";
import { serviceControl } from "./service-control.ts";

afterAll(() => OpenFeature.close());

const controlAnswering = (changes: (look: Look) => Partial<Changes>) =>
  ({
    fetch: async (request: Request) =>
      Response.json({
        epoch: 1,
        changedAt: 0,
        services: [],
        whole: true,
        ...changes((await request.json()) as Look),
      }),
  }) as unknown as Fetcher;

test.each([
  ["catalog", CATALOG_CONFIG, { productMaxAgeSeconds: 0 }],
  ["inventory", INVENTORY_CONFIG, { receiptWaitMs: 2_000 }],
  ["orders", ORDERS_CONFIG, { cancellationMinutes: 30, paymentTimeoutMs: 900_000, quoteMs: 1_000 }],
  ["payments", PAYMENTS_CONFIG, { providerTimeoutMs: 2_000 }],
])("%s without a control plane goes by its defaults, at once", async (service, schema, defaults) => {
  const { link, config, flags } = serviceControl(service, schema, {});
  await link.load();
  expect(config.get()).toEqual(defaults);
  expect(await flags.getBooleanValue(ACCEPT_ORDERS_FLAG, true, { targetingKey: "ada" })).toBe(true);
});

test("configuration and flags of the service's profile are in force once it is loaded", async () => {
  const looks: Look[] = [];
  const flags = flagTableSchema.parse({
    [ACCEPT_ORDERS_FLAG]: { rules: [{ if: [{ attribute: "targetingKey", in: ["ada"] }], serve: "off" }] },
  });
  const CONTROL = controlAnswering((look) => {
    looks.push(look);
    const { service, profile } = look;
    return { config: { service, profile, epoch: 1, value: { quoteMs: 5 }, flags } };
  });
  const control = serviceControl("orders", ORDERS_CONFIG, { CONTROL, SKERRY_PROFILE: "production" });
  await control.link.load();
  expect(looks[0]).toMatchObject({ service: "orders", profile: "production", epoch: 0 });
  expect(control.config.get()).toEqual({ cancellationMinutes: 30, paymentTimeoutMs: 900_000, quoteMs: 5 });
  const accepts = (targetingKey: string) =>
    control.flags.getBooleanValue(ACCEPT_ORDERS_FLAG, true, { targetingKey });
  expect([await accepts("ada"), await accepts("grace")]).toEqual([false, true]);
});

test("whoever handles changes of flags hears of them, though no setting has changed", async () => {
  let epoch = 1;
  const CONTROL = controlAnswering(({ service, profile }) => {
    const flags = flagTableSchema.parse({ [ACCEPT_ORDERS_FLAG]: epoch === 1 });
    return { epoch, config: { service, profile, epoch, value: {}, flags } };
  });
  const { link, flags } = serviceControl("orders", ORDERS_CONFIG, { CONTROL });
  await link.load();
  const told: unknown[] = [];
  flags.addHandler(ProviderEvents.ConfigurationChanged, (details) => void told.push(details?.flagsChanged));
  epoch = 2;
  vi.useFakeTimers({ now: Date.now() + 1_000, toFake: ["Date"] });
  expect(await link.lookNow()).toBe(true);
  vi.useRealTimers();
  expect(told).toEqual([[ACCEPT_ORDERS_FLAG]]);
});

test("secrets are opened with CONFIG_KEYS, and keys that are malformed only keep them shut", async () => {
  const keys = newKey("k1");
  const sealed = await sealer({ keys }).seal("hidden", "probe#token");
  const CONTROL = controlAnswering(({ service, profile }) => ({
    config: { service, profile, epoch: 1, value: { token: { $secret: { ...sealed } } }, flags: {} },
  }));
  const schema = z.strictObject({ token: z.string().optional() });
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const tokenBy = async (CONFIG_KEYS: string) => {
    const { link, config } = serviceControl("probe", schema, { CONTROL, CONFIG_KEYS });
    await link.load();
    return config.get().token;
  };
  expect(await tokenBy(keys)).toBe("hidden");
  expect(await tokenBy("nonsense")).toBeUndefined();
  expect(warn.mock.calls.flat().join()).not.toMatch(/hidden|nonsense/);
  warn.mockRestore();
});
