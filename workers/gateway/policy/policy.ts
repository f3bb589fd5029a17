/** A policy as it is gone by: what was written, with a default for everything that was not. */
import { type BreakerSettings, breakerSettings } from "#shared/resilience/breaker-policy.ts";
import type { RetryPolicy } from "#shared/resilience/retry.ts";
import type { RetryBudgetPolicy } from "#shared/resilience/retry-budget.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

export type RetryPart = RetryPolicy & {
  readonly safeMethods: readonly string[];
  readonly bodyBytesMax: number;
  readonly budget: RetryBudgetPolicy;
};

const PARTS = {
  retry: {
    attempts: 2,
    statuses: [502, 503, 504],
    backoffMs: 25,
    backoffMaxMs: 1_000,
    safeMethods: [] as string[],
    bodyBytesMax: 64 * 1024,
    budget: { ratio: 0.2, perSecond: 1, cap: 10 },
  } satisfies RetryPart,
  hedge: { quantile: 0.95, answersMin: 20 },
  breaker: breakerSettings({}),
  bulkhead: { concurrent: 100, queue: 0, waitMs: 100 },
  throttle: { factor: 2, padding: 8, windowSeconds: 60, patienceMs: 5_000 },
  outliers: {
    consecutiveFailures: 5,
    compareEveryMs: 10_000,
    requestsMin: 20,
    deviations: 3,
    gapMin: 0.1,
    ejectionMs: 30_000,
    ejectionMaxMs: 300_000,
    shareMax: 0.1,
    panicShare: 0.5,
  },
} as const;

/** What each part is where its field is not written, whether it is on or off. */
export const PART_DEFAULTS: Readonly<Record<keyof typeof PARTS, Readonly<Record<string, unknown>>>> = PARTS;

/** Those that say how a request is sent; all others are about what stands around sending. */
export const SENDING_FIELDS = [
  "deadlineMs",
  "balance",
  "zone",
  "slowStartMs",
  "retry",
  "hedge",
  "breaker",
  "bulkhead",
  "throttle",
  "outliers",
] as const satisfies readonly (keyof WrittenPolicy)[];

/** Off unless written: these cost something or refuse. */
export const OFF_BY_DEFAULT: ReadonlySet<string> = new Set(["hedge", "bulkhead", "throttle"]);

export const DEFAULT_DEADLINE_MS = 30_000;
export const DEFAULT_BALANCE = "power_of_two";
export const DEFAULT_ZONE = "any";

export type Balance =
  | "weight"
  | "power_of_two"
  | "round_robin"
  | { hash: { header: string } | { cookie: string } }
  | { sticky: { cookie: string } };

export interface Policy {
  readonly deadlineMs: false | number;
  readonly retry: false | RetryPart;
  readonly hedge: false | { readonly quantile: number; readonly answersMin: number };
  readonly breaker: false | BreakerSettings;
  readonly bulkhead: false | { readonly concurrent: number; readonly queue: number; readonly waitMs: number };
  readonly throttle:
    | false
    | {
        readonly factor: number;
        readonly padding: number;
        readonly windowSeconds: number;
        readonly patienceMs: number;
        readonly priorityHeader?: string;
      };
  readonly balance: Balance;
  readonly zone: "prefer" | "any";
  readonly slowStartMs: number;
  readonly outliers: false | (typeof PARTS)["outliers"];
}

/** @param layers each stronger than the one before it: part by part, and in a part field by field */
export const policyOf = (...layers: readonly WrittenPolicy[]): Policy => {
  const last = <Name extends keyof WrittenPolicy>(name: Name): WrittenPolicy[Name] =>
    layers.findLast((layer) => layer[name] !== undefined)?.[name];
  const part = (name: keyof typeof PARTS): unknown => {
    const written = last(name) ?? !OFF_BY_DEFAULT.has(name);
    if (written === false) return false;
    return [PARTS[name], ...layers.map((layer) => layer[name])].reduce<object>(merged, {});
  };
  return {
    deadlineMs: last("deadlineMs") ?? DEFAULT_DEADLINE_MS,
    balance: last("balance") ?? DEFAULT_BALANCE,
    zone: last("zone") ?? DEFAULT_ZONE,
    slowStartMs: last("slowStartMs") ?? 0,
    retry: part("retry"),
    hedge: part("hedge"),
    breaker: part("breaker"),
    bulkhead: part("bulkhead"),
    throttle: part("throttle"),
    outliers: part("outliers"),
  } as Policy;
};

/** The budget is the one part of a part whose fields go one by one, too. */
const merged = (base: object, layer: unknown): object => {
  if (typeof layer !== "object" || layer === null) return base;
  const all: Record<string, unknown> = { ...base, ...layer };
  if ("budget" in layer && "budget" in base)
    all.budget = { ...(base.budget as object), ...(layer.budget as object) };
  return all;
};
