/** Limits as one isolate counts them: in memory, at once. */
import { trace } from "@opentelemetry/api";
import { spendEach } from "#shared/resilience/spend-each.ts";
import type { Exchange } from "../../exchange.ts";
import type { Limit } from "./limit.ts";
import { type Spending, tighter } from "./spending.ts";

/** Spends one unit of each limit, or none of any when one does not allow; tells the tightest. */
export const spendInIsolate = (limits: readonly [Limit, ...Limit[]], exchange: Exchange): Spending => {
  const [first] = limits;
  if (limits.length === 1) return { limit: first, verdict: first.limiter.take(first.keyOf(exchange)) };
  const keys = limits.map(({ keyOf }) => keyOf(exchange));
  return tightestOf(spendEach(limits, keys));
};

/** @param spendings at least one */
export const tightestOf = (spendings: readonly Spending[]): Spending =>
  spendings.reduce((one, other) => tighter(one, other));

export type Why = "absent" | "no_answer" | "paused";

/** What counts further away gave no answer: refusing everybody would be worse than what each isolate knows. */
export const spendInstead = (
  limits: readonly [Limit, ...Limit[]],
  exchange: Exchange,
  why: Why,
): Spending => {
  trace.getActiveSpan()?.addEvent("skerry.rate_limit.fallback", {
    "skerry.rate_limit.policies": limits.map(({ settings }) => settings.name),
    "skerry.rate_limit.tier": limits[0].settings.tier,
    "skerry.rate_limit.reason": why,
  });
  return spendInIsolate(limits, exchange);
};

/** For the worker's log: the schema of the configuration cannot know what the gateway was deployed with. */
export const warnAbsent = (route: string, { settings }: Limit, expected: string): void => {
  console.warn(
    `Counting for the limit "${settings.name}" of the route "${route}" by "${settings.tier}": expected ${expected}, and the gateway has none; each isolate counts by itself`,
  );
};

/** Keeps the isolate's own count beside another tier's, so that it does not begin rested when it is needed. */
export const countBeside = (limits: readonly Limit[], exchange: Exchange): void => {
  for (const { limiter, keyOf } of limits) limiter.take(keyOf(exchange));
};
