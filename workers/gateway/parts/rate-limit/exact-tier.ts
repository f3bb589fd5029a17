/** Limits that hold for all isolates together: an Actor counts, and no isolate admits what it did not. */
import { fnv1a } from "#shared/cqrs/fnv1a.ts";
import { LIMITS } from "#shared/limits.ts";
import { forwardClock } from "#shared/resilience/breaker-clock.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Exchange } from "../../exchange.ts";
import { answerWithin } from "./answer-within.ts";
import { countBeside, spendInstead, tightestOf, warnAbsent } from "./isolate-tier.ts";
import { knownRefusals } from "./known-refusals.ts";
import type { Limit } from "./limit.ts";
import { textOf } from "./named-limits.ts";
import type { ExactVerdict, RateLimitMethods } from "./rate-limit-actor.ts";
import type { Spending } from "./spending.ts";

export interface ExactTierOptions {
  readonly route: string;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly exactLimiters: Actors<RateLimitMethods> | undefined;
}

/**
 * Limits that count by the same, asked in one call that spends of all or of none.
 * Their Actors are named by the route, what is counted by, and a shard of the keys: a bounded number of warm Actors, where
 * one for each key would be started by every address that comes along once.
 */
export const exactTier = (
  limits: readonly [Limit, ...Limit[]],
  { route, clock, timer, exactLimiters }: ExactTierOptions,
): ((exchange: Exchange) => Promise<Spending>) => {
  const [first] = limits;
  const { settings, keyOf } = first;
  if (!exactLimiters) warnAbsent(route, first, "Actors that count");
  const asked = limits.map(({ settings: { name, limit, periodSeconds, burst } }) => ({
    name,
    limit,
    periodSeconds,
    burst,
  }));
  const names = Array.from(
    { length: settings.shards },
    (_, shard) => `${route}/${textOf(settings.by)}/${shard}`,
  );
  const time = forwardClock(clock);
  const refusals = knownRefusals<Spending>();
  const pausedUntil = new Float64Array(settings.shards);

  return async (exchange) => {
    if (!exactLimiters) return spendInstead(limits, exchange, "absent");
    const key = keyOf(exchange);
    const begun = time();
    const refused = refusals.of(key, begun);
    if (refused) return { limit: refused.what.limit, verdict: refusal(refused.what, refused.leftMs) };
    const shard = fnv1a(key) % settings.shards;
    if (begun < (pausedUntil[shard] ?? 0)) return spendInstead(limits, exchange, "paused");
    const ask = () => exactLimiters.named(names[shard] ?? "").take({ key, limits: asked });
    const verdicts = await answerWithin(ask, LIMITS.rateLimitAnswerMs, timer);
    if (verdicts?.length !== limits.length) {
      pausedUntil[shard] = time() + LIMITS.rateLimitPauseMs;
      return spendInstead(limits, exchange, "no_answer");
    }
    const tightest = tightestOf(spendingsOf(limits, verdicts));
    if (tightest.verdict.allowed) countBeside(limits, exchange);
    // Counted from before the question: the Actor's own wait began no sooner.
    else refusals.add(key, tightest, begun + tightest.verdict.retryAfterMs);
    return tightest;
  };
};

const spendingsOf = (limits: readonly Limit[], verdicts: readonly ExactVerdict[]): Spending[] =>
  limits.flatMap((limit, at) => {
    const said = verdicts[at];
    if (!said) return [];
    const retryAfterMs = said.allowed ? 0 : said.resetMs;
    return [{ limit, verdict: { ...said, limit: limit.settings.burst, retryAfterMs } }];
  });

const refusal = ({ verdict }: Spending, leftMs: number): Spending["verdict"] => ({
  ...verdict,
  resetMs: leftMs,
  retryAfterMs: leftMs,
});
