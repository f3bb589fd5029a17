/** What an isolate remembers of one service and major, whatever policy is in force: breakers, loads, budgets. */
import { LIMITS } from "#shared/limits.ts";
import type { Balancer } from "#shared/resilience/balance/balancer.ts";
import { consistentHash } from "#shared/resilience/balance/consistent-hash.ts";
import { instanceLoads } from "#shared/resilience/balance/instance-loads.ts";
import { powerOfTwo } from "#shared/resilience/balance/power-of-two.ts";
import { stickyBalancer } from "#shared/resilience/balance/sticky-balancer.ts";
import { weightedRoundRobin } from "#shared/resilience/balance/weighted-round-robin.ts";
import { type Breaker, type BreakerTransition, breaker } from "#shared/resilience/breaker.ts";
import { type Bulkhead, bulkhead } from "#shared/resilience/bulkhead.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { type LatencyQuantile, latencyQuantile } from "#shared/resilience/latency-quantile.ts";
import { type Outliers, outliers } from "#shared/resilience/outliers.ts";
import { type RetryBudget, retryBudget } from "#shared/resilience/retry-budget.ts";
import { type Throttle, throttle } from "#shared/resilience/throttle.ts";
import type { Clock, Random, Sleep } from "#shared/runtime/clock.ts";
import type { Balance, Policy } from "./policy.ts";
import type { Target } from "./target.ts";

export interface Tools {
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: Sleep;
  readonly timer: Timer;
}

/** A part that is off is undefined, and remembers what it knew until it is on again. */
export interface UpstreamParts {
  readonly policy: Policy;
  /** The gateway's own zone as it is configured. */
  readonly zone: string | undefined;
  readonly budget: RetryBudget;
  readonly balancer: Balancer<Target>;
  readonly outliers: Outliers | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly throttle: Throttle | undefined;
  readonly quantile: LatencyQuantile | undefined;
  /** Undefined when breakers are off. */
  breakerOf(instance: string): Breaker | undefined;
}

/** What lasts; `under` puts a policy to it. */
export interface UpstreamMemory {
  /** A part whose own settings have changed begins anew where it cannot take them over; breakers, bulkhead and throttle can. */
  under(policy: Policy, zone: string | undefined): UpstreamParts;
  /** The breaker of an instance that has one already. */
  knownBreaker(instance: string): Breaker | undefined;
}

/** Hears of a breaker that has moved, within the call that moved it. */
export type BreakerMoved = (instance: string, transition: BreakerTransition) => void;

const HALF_LIFE_MS = 60_000;

export const upstreamMemory = (tools: Tools, moved?: BreakerMoved): UpstreamMemory => {
  const { clock, random, sleep } = tools;
  const breakers = new Map<string, Breaker>();
  let breakerPolicy: Exclude<Policy["breaker"], false>;
  let bulkheadPolicy: Exclude<Policy["bulkhead"], false> & { heldMsMax: number };
  /** Whatever is under way for longer was dropped by the platform. */
  let heldMsMax: number;
  let throttlePolicy: Exclude<Policy["throttle"], false>;
  let theBulkhead: Bulkhead | undefined;
  let theThrottle: Throttle | undefined;

  const loads = keptWhile((slowStartMs: number) =>
    instanceLoads<Target>(clock, { slowStartMs, heldMsMax: () => heldMsMax }),
  );
  const outliersFor = keptWhile((settings: Exclude<Policy["outliers"], false>) => outliers(clock, settings));
  const budgetFor = keptWhile((settings: Parameters<typeof retryBudget>[1]) => retryBudget(clock, settings));
  const quantileFor = keptWhile(({ quantile, answersMin }: Exclude<Policy["hedge"], false>) =>
    latencyQuantile(clock, { quantile, halfLifeMs: HALF_LIFE_MS, recordedMin: answersMin }),
  );
  const balancerFor = keptWhile(({ kind, slowStartMs }: { kind: string; slowStartMs: number }) => {
    const shared = loads(slowStartMs);
    if (kind === "power_of_two") return powerOfTwo(shared, random);
    if (kind === "sticky") return stickyBalancer(shared, powerOfTwo(shared, random));
    return kind === "round_robin" ? weightedRoundRobin(shared, random) : consistentHash(shared, random);
  });

  const breakerOf = (instance: string): Breaker => {
    const known = breakers.get(instance);
    if (known) return known;
    if (breakers.size >= LIMITS.gatewayBreakers) forgetSome(breakers);
    const onTransition = (transition: BreakerTransition) => moved?.(instance, transition);
    const made = breaker({ policy: () => breakerPolicy, clock, random, onTransition });
    breakers.set(instance, made);
    return made;
  };

  return {
    knownBreaker: (instance) => breakers.get(instance),
    under(policy, zone) {
      heldMsMax = (policy.deadlineMs || LIMITS.latencyMs) + 1_000;
      if (policy.breaker) breakerPolicy = policy.breaker;
      if (policy.throttle) throttlePolicy = policy.throttle;
      if (policy.bulkhead) bulkheadPolicy = { ...policy.bulkhead, heldMsMax };
      if (policy.bulkhead) theBulkhead ??= bulkhead({ policy: () => bulkheadPolicy, clock, sleep });
      if (policy.throttle) theThrottle ??= throttle({ policy: () => throttlePolicy, clock, random });
      const { balance, slowStartMs } = policy;
      return {
        policy,
        zone,
        budget: budgetFor(policy.retry ? policy.retry.budget : {}),
        balancer: balancerFor({ kind: kindOf(balance), slowStartMs }),
        outliers: policy.outliers ? outliersFor(policy.outliers) : undefined,
        bulkhead: policy.bulkhead ? theBulkhead : undefined,
        throttle: policy.throttle ? theThrottle : undefined,
        quantile: policy.hedge ? quantileFor(policy.hedge) : undefined,
        breakerOf: policy.breaker ? breakerOf : NO_BREAKER,
      };
    },
  };
};

const kindOf = (balance: Balance): string => {
  if (typeof balance === "string") return balance;
  return "hash" in balance ? "hash" : "sticky";
};

const NO_BREAKER = () => undefined;

/** Those that are closed are made anew when they are needed; open ones go on refusing, unless there are too many of them. */
const forgetSome = (breakers: Map<string, Breaker>): void => {
  for (const [id, each] of breakers) if (each.state().kind === "closed") breakers.delete(id);
  if (breakers.size >= LIMITS.gatewayBreakers) breakers.clear();
};

/** The same thing as long as its settings are the same. */
const keptWhile = <Settings, Made>(make: (settings: Settings) => Made): ((settings: Settings) => Made) => {
  let kept: { readonly settings: string; readonly made: Made } | undefined;
  return (settings) => {
    const text = JSON.stringify(settings);
    if (kept?.settings !== text) kept = { settings: text, made: make(settings) };
    return kept.made;
  };
};
