/** Many isolates that call one upstream through the real breaker, in virtual time. */
import { LIMITS } from "#shared/limits.ts";
import { type Breaker, breaker } from "#shared/resilience/breaker.ts";
import type { BreakerPolicy } from "#shared/resilience/breaker-policy.ts";
import type { Random } from "#shared/runtime/clock.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { type EventQueue, eventQueue } from "./event-queue.ts";
import { type Sharing, type Strategy, sharing } from "./sharing.ts";

export interface Scenario {
  readonly title: string;
  readonly seconds: number;
  /** The share of calls from this isolate that fail at this time, 0 to 1. */
  readonly failing: (isolate: number, second: number) => number;
  /** Isolates whose own trouble it is: what they lose does not count. */
  readonly bad: (isolate: number) => boolean;
}

/** What happened to the calls of each second. */
export interface Outcomes {
  /** Calls that were made, sent or not. */
  readonly calls: readonly number[];
  /** Sent while the upstream was in trouble, and failed. */
  readonly wasted: readonly number[];
  /** Refused while the upstream was well, to isolates that were well. */
  readonly lost: readonly number[];
}

/** A time between two events of a Poisson process with this mean. */
const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;

/** Calls a second of each isolate: a few are busy, most have little to do. */
export const RATES: readonly number[] = [
  ...Array.from({ length: 20 }, () => 20),
  ...Array.from({ length: 60 }, () => 2),
  ...Array.from({ length: 120 }, () => 0.2),
];

/** Of calls to an upstream that is well. */
export const USUAL_FAILURES = 0.005;
const ANSWER_MS = 50;
const LOOK_MS = 20;
const POLICY: BreakerPolicy = {};

export const simulate = (scenario: Scenario, strategy: Strategy, seed: number): Outcomes => {
  const queue = eventQueue();
  const shared = sharing(strategy, queue.now);
  const zeros = () => Array.from({ length: scenario.seconds }, () => 0);
  const outcomes = { calls: zeros(), wasted: zeros(), lost: zeros() };
  for (const [isolate, rate] of RATES.entries())
    start({ isolate, rate, queue, shared, scenario, outcomes, seed });
  queue.run(scenario.seconds * 1_000 - 1);
  return outcomes;
};

interface Isolate {
  readonly isolate: number;
  readonly rate: number;
  readonly queue: EventQueue;
  readonly shared: Sharing;
  readonly scenario: Scenario;
  readonly outcomes: Record<keyof Outcomes, number[]>;
  readonly seed: number;
}

const start = ({ isolate, rate, queue, shared, scenario, outcomes, seed }: Isolate): void => {
  const { now, at } = queue;
  // Arrivals have randomness of their own: they are the same whatever the breakers do.
  const arrivals = seededRandom(seed * 1_000 + isolate);
  const random = seededRandom(seed * 1_000 + isolate + 500_000);
  const sharer = shared(`isolate-${isolate}`, () => own);
  const own: Breaker = breaker({
    policy: () => POLICY,
    clock: now,
    random,
    onTransition: (transition) => sharer.moved(transition),
  });
  let lookedMs = Number.NEGATIVE_INFINITY;

  const count = (what: keyof Outcomes) => {
    const second = Math.floor(now() / 1_000);
    outcomes[what][second] = (outcomes[what][second] ?? 0) + 1;
  };
  const failing = () => scenario.failing(isolate, Math.floor(now() / 1_000));
  const answered = () => {
    if (now() - lookedMs < LIMITS.lookEveryMs) return;
    lookedMs = now();
    at(now() + LOOK_MS / 2, () => at(now() + LOOK_MS / 2, sharer.look()));
  };
  const call = () => {
    count("calls");
    const inTrouble = failing() > USUAL_FAILURES;
    const permit = sharer.refuses() ? undefined : own.enter();
    if (permit === undefined) {
      if (!inTrouble && !scenario.bad(isolate)) count("lost");
      return answered();
    }
    const failed = random() < failing();
    if (failed && inTrouble && !scenario.bad(isolate)) count("wasted");
    const tookMs = exponential(random, ANSWER_MS);
    at(now() + tookMs, () => {
      own.done(permit, failed ? "failure" : "success", tookMs);
      answered();
    });
  };
  const arrive = () => {
    call();
    next();
  };
  const next = () => at(now() + exponential(arrivals, 1_000 / rate), arrive);
  next();
};
