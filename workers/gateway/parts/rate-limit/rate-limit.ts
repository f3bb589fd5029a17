/** How much may be sent along a route: a request spends of every limit, or is answered with 429. */
import { trace } from "@opentelemetry/api";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { retryAfterField } from "#shared/resilience/rate-limit-headers.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { type Exchange, editAnswer, type HeaderEdit, type Part, refusal } from "../../exchange.ts";
import { exactTier } from "./exact-tier.ts";
import { spendInIsolate } from "./isolate-tier.ts";
import { type Limit, limitOf } from "./limit.ts";
import { type LocationLimiter, locationTier } from "./location-tier.ts";
import { namedLimits, textOf } from "./named-limits.ts";
import type { RateLimitMethods } from "./rate-limit-actor.ts";
import type { WrittenRateLimit } from "./rate-limit-schema.ts";
import { type Spending, tighter } from "./spending.ts";

export interface RateLimitOptions {
  /** The route's key: each route counts by itself. */
  readonly route: string;
  readonly clock: Clock;
  readonly timer: Timer;
  /** The platform's rate limiting binding of this name; undefined when the gateway has none. */
  readonly locationLimiter: (binding: string) => LocationLimiter | undefined;
  /** Who counts exactly; undefined where nobody does. */
  readonly exactLimiters: Actors<RateLimitMethods> | undefined;
}

type Ask = (exchange: Exchange) => Promise<Spending | undefined>;

/**
 * What the isolate counts is asked first: what it refuses goes nowhere. Then the others one after the other, the cheaper
 * tier first and in the order written, so that a request that one refuses spends nothing of those after it.
 */
export const rateLimit = (settings: WrittenRateLimit, options: RateLimitOptions): Part => {
  const limits = namedLimits(settings).map((each) => limitOf(each, options.clock));
  const policies: HeaderEdit = {
    kind: "append",
    name: "ratelimit-policy",
    value: limits.map(({ policy }) => policy).join(", "),
  };
  const of = (tier: string) => limits.filter((limit) => limit.settings.tier === tier);
  const [first, ...others] = of("isolate");
  const near: readonly [Limit, ...Limit[]] | undefined = first && [first, ...others];
  const further: readonly Ask[] = [
    ...of("location").map((limit) => locationTier(limit, options)),
    ...grouped(of("exact")).map((group) => exactTier(group, options)),
  ];

  const refuse = (exchange: Exchange, spending: Spending) => refused(exchange, spending, policies);
  const tell = (exchange: Exchange, spending: Spending | undefined): void => {
    editAnswer(exchange, policies);
    if (spending) editAnswer(exchange, spending.limit.told(spending.verdict));
  };
  const askFurther = async (exchange: Exchange, near: Spending | undefined) => {
    let tightest = near;
    for (const ask of further) {
      const spending = await ask(exchange);
      if (spending) tightest = tighter(tightest, spending);
      if (tightest && !tightest.verdict.allowed) return tightest;
    }
    return tightest;
  };

  return (next) => (exchange) => {
    const spending = near && spendInIsolate(near, exchange);
    if (spending && !spending.verdict.allowed) return Promise.resolve(refuse(exchange, spending));
    if (further.length === 0) {
      tell(exchange, spending);
      return next(exchange);
    }
    return askFurther(exchange, spending).then((tightest) => {
      if (tightest && !tightest.verdict.allowed) return refuse(exchange, tightest);
      tell(exchange, tightest);
      return next(exchange);
    });
  };
};

/** Those that one Actor can answer together. */
const grouped = (limits: readonly Limit[]): (readonly [Limit, ...Limit[]])[] => {
  const groups = new Map<string, [Limit, ...Limit[]]>();
  for (const limit of limits) {
    const { by, shards } = limit.settings;
    const group = JSON.stringify([by, shards]);
    const known = groups.get(group);
    if (known) known.push(limit);
    else groups.set(group, [limit]);
  }
  return [...groups.values()];
};

const refused = (exchange: Exchange, { limit, verdict }: Spending, policies: HeaderEdit): Response => {
  const { name, limit: requests, periodSeconds, by } = limit.settings;
  trace.getActiveSpan()?.setAttribute("skerry.rate_limit.refused_by", name);
  return refusal(
    exchange,
    "rate_limited",
    `Counting requests by "${textOf(by)}" for the limit "${name}": expected at most ${requests} in ${periodSeconds} s.`,
    {
      "ratelimit-policy": policies.value,
      ratelimit: limit.told(verdict).value,
      "retry-after": retryAfterField(Math.max(verdict.retryAfterMs, verdict.resetMs)) ?? "1",
    },
  );
};
