/** A limit as the platform counts it for one location: cheap, nearly right, and it tells yes or no and nothing else. */
import { LIMITS } from "#shared/limits.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Exchange } from "../../exchange.ts";
import { answerWithin } from "./answer-within.ts";
import { countBeside, spendInstead, warnAbsent } from "./isolate-tier.ts";
import type { Limit } from "./limit.ts";
import type { Spending } from "./spending.ts";

/** The platform's rate limiting binding. https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
export interface LocationLimiter {
  limit(of: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

export interface LocationTierOptions {
  readonly route: string;
  readonly timer: Timer;
  readonly locationLimiter: (binding: string) => LocationLimiter | undefined;
}

/** Undefined where it allows: what remains is not known then. */
export const locationTier = (
  limit: Limit,
  { route, timer, locationLimiter }: LocationTierOptions,
): ((exchange: Exchange) => Promise<Spending | undefined>) => {
  const { name, binding = "" } = limit.settings;
  const counter = locationLimiter(binding);
  if (!counter) warnAbsent(route, limit, `the rate limiting binding "${binding}"`);

  return async (exchange) => {
    if (!counter) return spendInstead([limit], exchange, "absent");
    // Several routes may count by one binding, each for itself.
    const key = `${route}/${name}/${limit.keyOf(exchange)}`;
    const said = await answerWithin(() => counter.limit({ key }), LIMITS.rateLimitAnswerMs, timer);
    if (!said) return spendInstead([limit], exchange, "no_answer");
    if (!said.success) return { limit, verdict: refusedFor(limit.settings) };
    countBeside([limit], exchange);
    return undefined;
  };
};

/** When its period began is not told: after a whole one it has ended for certain. */
const refusedFor = ({ burst, periodSeconds }: Limit["settings"]): Spending["verdict"] => {
  const waitMs = periodSeconds * 1_000;
  return { allowed: false, limit: burst, remaining: 0, resetMs: waitMs, retryAfterMs: waitMs };
};
