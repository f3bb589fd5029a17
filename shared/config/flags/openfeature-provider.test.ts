import { OpenFeature, ProviderEvents, ProviderStatus } from "@openfeature/server-sdk";
import { afterAll, describe, expect, test } from "vitest";
import { type FlagTable, flagTableSchema } from "./flag.ts";
import { type SkerryProviderOptions, skerryProvider } from "./openfeature-provider.ts";

const FLAGS = flagTableSchema.parse({
  banner: true,
  quarter: { percentage: 25 },
  paused: { enabled: false },
  theme: { variants: { dark: "#000", off: "#fff" }, serve: "dark" },
  limit: {
    variants: { high: 100, off: 10 },
    rules: [{ if: [{ attribute: "tier", in: ["gold"] }], serve: "high" }],
    serve: "off",
  },
  layout: { variants: { wide: { columns: 4 }, off: {} }, serve: "wide" },
});

let domains = 0;

/** The SDK is one for the process: each client has a domain of its own. */
const clientOf = async (options: SkerryProviderOptions) => {
  const domain = `test-${domains++}`;
  await OpenFeature.setProviderAndWait(domain, skerryProvider(options));
  return OpenFeature.getClient(domain);
};

afterAll(() => OpenFeature.close());

describe("through the OpenFeature SDK", () => {
  test("the provider is ready at once, under its name", async () => {
    const client = await clientOf({ flags: () => FLAGS });
    expect(client.providerStatus).toBe(ProviderStatus.READY);
    expect(client.metadata.providerMetadata.name).toBe("skerry");
  });

  test("a flag of each type has its value, variant and reason", async () => {
    const client = await clientOf({ flags: () => FLAGS });
    expect(await client.getBooleanDetails("banner", false)).toMatchObject({
      value: true,
      variant: "on",
      reason: "STATIC",
    });
    expect(await client.getBooleanDetails("paused", true)).toMatchObject({
      value: false,
      variant: "off",
      reason: "DISABLED",
    });
    expect(await client.getStringDetails("theme", "")).toMatchObject({ value: "#000", variant: "dark" });
    expect(await client.getObjectDetails("layout", {})).toMatchObject({
      value: { columns: 4 },
      variant: "wide",
    });
    expect(await client.getNumberDetails("limit", 0, { tier: "gold" })).toMatchObject({
      value: 100,
      reason: "TARGETING_MATCH",
    });
    expect(await client.getNumberDetails("limit", 0)).toMatchObject({ value: 10, reason: "DEFAULT" });
    expect(await client.getBooleanDetails("quarter", false, { targetingKey: "ann" })).toMatchObject({
      reason: "SPLIT",
    });
  });

  test.each([
    ["nowhere", "FLAG_NOT_FOUND", 'the flag "nowhere" cannot be evaluated: there is no such flag'],
    ["toString", "FLAG_NOT_FOUND", 'the flag "toString" cannot be evaluated: there is no such flag'],
    [
      "theme",
      "TYPE_MISMATCH",
      'the flag "theme" cannot be evaluated: expected a boolean, and its value is a string',
    ],
    [
      "quarter",
      "TARGETING_KEY_MISSING",
      'the flag "quarter" cannot be evaluated: its split needs a targetingKey',
    ],
  ])("%s gives the caller's default and the error code %s", async (key, errorCode, errorMessage) => {
    const client = await clientOf({ flags: () => FLAGS });
    for (const value of [true, false]) {
      const details = await client.getBooleanDetails(key, value);
      expect(details).toMatchObject({ value, reason: "ERROR", errorCode, errorMessage });
    }
  });

  test("each type refuses the values of the others", async () => {
    const client = await clientOf({ flags: () => FLAGS });
    const wrong = [
      await client.getBooleanDetails("limit", true),
      await client.getStringDetails("layout", "x"),
      await client.getNumberDetails("banner", 7),
      await client.getObjectDetails("theme", { a: 1 }),
    ];
    expect(wrong.map(({ errorCode }) => errorCode)).toEqual(wrong.map(() => "TYPE_MISMATCH"));
    expect(wrong.map(({ value }) => value)).toEqual([true, "x", 7, { a: 1 }]);
  });

  test("flags are those of the targeting key", async () => {
    const flags = (key?: string): FlagTable => flagTableSchema.parse({ banner: key === "ann" });
    const client = await clientOf({ flags });
    expect(await client.getBooleanValue("banner", false, { targetingKey: "ann" })).toBe(true);
    expect(await client.getBooleanValue("banner", true, { targetingKey: "bob" })).toBe(false);
  });
});

describe("when configuration changes", () => {
  const changing = async () => {
    let table = FLAGS;
    const listeners = new Set<(changed: readonly string[]) => void>();
    const client = await clientOf({
      flags: () => table,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    const told: (string[] | undefined)[] = [];
    client.addHandler(
      ProviderEvents.ConfigurationChanged,
      (details) => void told.push(details?.flagsChanged),
    );
    const publish = (next: FlagTable, ...changed: string[]) => {
      table = next;
      for (const listener of listeners) listener(changed);
    };
    return { client, told, publish, listeners };
  };

  test("the next evaluation sees it, and handlers hear which flags changed", async () => {
    const { client, told, publish } = await changing();
    publish(
      { ...FLAGS, ...flagTableSchema.parse({ theme: { variants: { off: "#eee" }, serve: "off" } }) },
      "theme",
    );
    expect(await client.getStringValue("theme", "")).toBe("#eee");
    expect(told).toEqual([["theme"]]);
  });

  test("a provider that is closed no longer listens", async () => {
    const { client, listeners } = await changing();
    expect(listeners.size).toBe(1);
    await OpenFeature.setProviderAndWait(
      client.metadata.domain ?? "",
      skerryProvider({ flags: () => FLAGS }),
    );
    expect(listeners.size).toBe(0);
  });
});
