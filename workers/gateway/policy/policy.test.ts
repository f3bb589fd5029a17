import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import { checkAgainstSchema, schemaFaults } from "#shared/config/schema-check.ts";
import { canonicalJson } from "#shared/http/canonical-json.ts";
import { LIMITS } from "#shared/limits.ts";
import { GATEWAY_CONFIG } from "../contract.ts";
import { OFF_BY_DEFAULT, PART_DEFAULTS, policyOf } from "./policy.ts";
import { policyRows } from "./policy-rows.ts";
import { policySchema } from "./policy-schema.ts";

describe("a policy", () => {
  test("that says nothing retries, breaks and ejects, and refuses nobody", () => {
    const policy = policyOf({});
    expect(policy).toMatchObject({ deadlineMs: 30_000, balance: "power_of_two", retry: { attempts: 2 } });
    const off = Object.entries(policy).filter(([, part]) => part === false);
    expect(new Set(off.map(([name]) => name))).toEqual(OFF_BY_DEFAULT);
  });

  test("of a service goes before the common one, field by field", () => {
    const common = policySchema.parse({
      deadlineMs: 9,
      retry: { attempts: 4, budget: { cap: 3 } },
      hedge: {},
    });
    const own = policySchema.parse({ retry: { backoffMs: 1, budget: { ratio: 0.5 } }, hedge: false });
    const policy = policyOf(common, own);
    expect(policy.retry).toEqual({
      ...PART_DEFAULTS.retry,
      attempts: 4,
      backoffMs: 1,
      budget: { cap: 3, ratio: 0.5, perSecond: 1 },
    });
    expect([policy.hedge, policy.deadlineMs]).toEqual([false, 9]);
  });

  test("of a service turns on what the common one has turned off, with what is written for it alone", () => {
    const policy = policyOf({ retry: false }, { retry: { attempts: 3 }, hedge: {} });
    expect(policy.retry).toEqual({ ...PART_DEFAULTS.retry, attempts: 3 });
    expect(policy.hedge).toEqual(PART_DEFAULTS.hedge);
  });

  test.each([
    { retry: { attempts: 0 } },
    { retry: { attempt: 2 } },
    { hedge: true },
    { balance: "random" },
    { balance: { hash: { header: "a b" } } },
    { breaker: { mode: "open" } },
    { deadlineMs: 0 },
    { rateLimit: { periodSeconds: 0.5 } },
    { upstreamTimeoutMs: 5 },
  ])("does not take %j", (written) => {
    expect(policySchema.safeParse(written).success).toBe(false);
    expect(GATEWAY_CONFIG.safeParse({ services: { s: written } }).success).toBe(false);
  });

  test("is checked by the control plane as it is here", () => {
    const schema = configJsonSchema(GATEWAY_CONFIG);
    expect(schemaFaults(schema)).toEqual([]);
    expect(new TextEncoder().encode(canonicalJson(schema)).byteLength).toBeLessThan(LIMITS.configSchemaBytes);
    const good = { policy: PART_DEFAULTS, services: { orders: { retry: false, hedge: {} } } };
    expect(checkAgainstSchema(schema, good)).toEqual([]);
    for (const bad of [{ services: { orders: { retry: { attempts: 0 } } } }, { policy: { unknown: 1 } }]) {
      expect(checkAgainstSchema(schema, bad)).not.toEqual([]);
    }
  });

  test("takes each default as it stands", () => {
    expect(policySchema.parse(PART_DEFAULTS)).toEqual(PART_DEFAULTS);
  });
});

test("docs/reference/policy.md lists every field with its default, and no other", async () => {
  const text = await readFile(new URL("../../../docs/reference/policy.md", import.meta.url).pathname, "utf8");
  expect(text.split("\n").filter((line) => line.startsWith("| `"))).toEqual(policyRows());
  expect(policyRows().filter((line) => line.endsWith("|  |"))).toEqual([]);
});
