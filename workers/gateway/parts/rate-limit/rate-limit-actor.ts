/** The Actor that counts for all isolates: one for a shard of a route's keys. */
import { LIMITS } from "#shared/limits.ts";
import { type RateLimiter, rateLimiter } from "#shared/resilience/rate-limit.ts";
import { spendEach } from "#shared/resilience/spend-each.ts";
import type { ActorContext, ActorLogic } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { storedKeys } from "./stored-keys.ts";

export interface ExactLimit {
  readonly name: string;
  readonly limit: number;
  readonly periodSeconds: number;
  readonly burst: number;
}

export interface ExactVerdict {
  readonly allowed: boolean;
  /** Whole units that may be spent now. */
  readonly remaining: number;
  /** Until one unit more than these. */
  readonly resetMs: number;
}

export type RateLimitMethods = {
  /** Spends one unit of each limit, or none of any when one does not allow. @returns a verdict for each, in order */
  take(input: { readonly key: string; readonly limits: readonly ExactLimit[] }): Promise<ExactVerdict[]>;
};

/**
 * Counts in memory. A key that is rested within seconds is known nowhere else: an Actor is ended only after longer
 * without work. Others stand in SQLite, too, ahead of what they spent, so that a restart admits nothing twice.
 */
export const rateLimitActor = (context: ActorContext, clock: Clock): ActorLogic<RateLimitMethods> => {
  const limiters = new Map<string, RateLimiter>();
  const stored = storedKeys(context, clock);

  // Its settings are a limit's name here: while they change, isolates go by both, and each is exact by itself.
  const limiterOf = (limit: ExactLimit): RateLimiter => {
    const { name, limit: units, periodSeconds, burst } = limit;
    const policy = `${name} ${units}/${periodSeconds} ${burst}`;
    const known = limiters.get(policy);
    // What was used last stands last: the first one makes room.
    limiters.delete(policy);
    if (known) limiters.set(policy, known);
    if (known) return known;
    const [unused] = limiters.keys();
    if (unused && limiters.size >= LIMITS.rateLimitActorPolicies) limiters.delete(unused);
    const restMs = (burst / units) * periodSeconds * 1_000;
    const made = rateLimiter(
      { limit: units, periodSeconds, burst, keysMax: LIMITS.rateLimitActorKeys },
      clock,
      restMs >= LIMITS.rateLimitKeptMs ? stored.of(policy) : undefined,
    );
    limiters.set(policy, made);
    return made;
  };

  return {
    methods: {
      async take({ key, limits }) {
        const spendings = spendEach(
          limits.map((limit) => ({ limiter: limiterOf(limit) })),
          limits.map(() => key),
        );
        await stored.armed();
        return spendings.map(({ verdict: { allowed, remaining, resetMs } }) => ({
          allowed,
          remaining,
          resetMs,
        }));
      },
    },
    alarm: stored.sweep,
  };
};
