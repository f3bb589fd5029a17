/** What a call costs through our breaker, and through retry, breaker and bulkhead, beside cockatiel and opossum; in Node. */
import { performance } from "node:perf_hooks";
import {
  ConstantBackoff,
  circuitBreaker,
  bulkhead as cockatielBulkhead,
  handleAll,
  retry,
  SamplingBreaker,
  wrap,
} from "cockatiel";
import OpossumBreaker from "opossum";
import { breaker } from "#shared/resilience/breaker.ts";
import type { BreakerPolicy } from "#shared/resilience/breaker-policy.ts";
import { bulkhead } from "#shared/resilience/bulkhead.ts";
import type { Deadline } from "#shared/resilience/deadline.ts";
import { DEFAULT_RETRY_POLICY, type RetryOptions, retrying } from "#shared/resilience/retry.ts";
import { retryBudget } from "#shared/resilience/retry-budget.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { inTurns, type Slice } from "./in-turns.ts";

/** A breaker's own time on a call. */
const ADDED_NS = 200;
/** As fast as the other. */
const EVEN = 1;
/** Between two looks at the clock. */
const BATCH = 1_000;
const WINDOW_MS = 10_000;

const ANSWER = new Response("ok");
const answer = async (): Promise<Response> => ANSWER;

type Call = () => Promise<unknown>;

export const measureResilience = async (_ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const turns = quick ? { pairs: 3, sliceMs: 50, warmUpMs: 100 } : { pairs: 15, sliceMs: 200, warmUpMs: 500 };
  const beside = async (name: string, ours: Call, bare: Call, aim?: number): Promise<Figure> => ({
    name,
    unit: "calls/s",
    ...(aim !== undefined && { aim }),
    ...(await inTurns({ ours: repeated(ours), bare: repeated(bare), ...turns })),
  });
  const opossum = opossumBreaker();
  try {
    const direct = await beside("a call through the breaker, beside the bare call", breakerCall(), answer);
    const pair = await inTurns({ ours: pairsOnly(), bare: repeated(answer), ...turns });
    return [
      direct,
      { name: "… which adds", unit: "ns", ours: added(direct), atMost: ADDED_NS },
      { name: "… of which entering and telling the outcome", unit: "ns", ours: 1e9 / pair.ours },
      await beside("… beside cockatiel", breakerCall(), cockatielCall(), EVEN),
      await beside("… beside opossum, without its timeout", breakerCall(), () => opossum.fire(), EVEN),
      await beside(
        "a refusal by the open breaker, beside cockatiel",
        refusedCall(),
        refusedByCockatiel(),
        EVEN,
      ),
      await beside(
        "retry, breaker and bulkhead, beside cockatiel",
        pipelineCall(),
        cockatielPipeline(),
        EVEN,
      ),
      await beside("… beside the bare call", pipelineCall(), answer),
    ];
  } finally {
    opossum.shutdown();
  }
};

const repeated =
  (call: Call): Slice =>
  async (ms) => {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < ms) {
      for (let index = 0; index < BATCH; index++) await call();
      done += BATCH;
    }
    return (done * 1000) / (performance.now() - start);
  };

const added = ({ ours, bare }: Figure): number => (bare === undefined ? Number.NaN : 1e9 / ours - 1e9 / bare);

/** Ten seconds in ten buckets, half of at least 50 calls: what all three are set to. */
const POLICY: BreakerPolicy = {
  window: { kind: "time", seconds: WINDOW_MS / 1_000 },
  failureRate: 0.5,
  minimumCalls: 50,
};

const ourBreaker = (policy: BreakerPolicy = POLICY) =>
  breaker({ policy: () => policy, clock: systemClock, random: Math.random });

type Guard = (call: () => Promise<Response>) => Promise<Result<Response, "refused">>;

/** As a caller writes it: the outcome is told on every way out, with the time that the call took. */
const guardedBy =
  (subject: ReturnType<typeof breaker>): Guard =>
  async (call) => {
    const permit = subject.enter();
    if (permit === undefined) return err("refused");
    const start = systemClock();
    try {
      const response = await call();
      const end = systemClock();
      subject.done(permit, response.status < 500 ? "success" : "failure", end - start, end);
      return ok(response);
    } catch (error) {
      subject.done(permit, "failure", systemClock() - start);
      throw error;
    }
  };

const breakerCall = (): Call => {
  const guarded = guardedBy(ourBreaker());
  return () => guarded(answer);
};

const pairsOnly = (): Slice => {
  const subject = ourBreaker();
  return async (ms) => {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < ms) {
      for (let index = 0; index < BATCH; index++) {
        const permit = subject.enter();
        if (permit !== undefined) subject.done(permit, "success", 1);
      }
      done += BATCH;
    }
    return (done * 1000) / (performance.now() - start);
  };
};

const refusedCall = (): Call => {
  const guarded = guardedBy(ourBreaker({ ...POLICY, mode: "forced_open" }));
  return () => guarded(answer);
};

const cockatielBreaker = () =>
  circuitBreaker(handleAll, {
    halfOpenAfter: 5_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: WINDOW_MS, minimumRps: 5 }),
  });

const cockatielCall = (): Call => {
  const policy = cockatielBreaker();
  return () => policy.execute(answer);
};

const refusedByCockatiel = (): Call => {
  const policy = cockatielBreaker();
  policy.isolate();
  return () => policy.execute(answer).catch(() => undefined);
};

/** Its timeout costs a timer a call and is no part of a breaker; percentiles nobody reads. */
const opossumBreaker = () =>
  new OpossumBreaker(answer, {
    timeout: false,
    rollingCountTimeout: WINDOW_MS,
    errorThresholdPercentage: 50,
    volumeThreshold: 50,
    rollingPercentilesEnabled: false,
  });

const IN_FLIGHT = 100;

/** A request has one deadline whatever its policies are, so that making it counts for neither side. */
const DEADLINE: Pick<Deadline, "at" | "signal" | "remainingMs"> = {
  at: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  remainingMs: () => Number.POSITIVE_INFINITY,
};

const pipelineCall = (): Call => {
  const guarded = guardedBy(ourBreaker());
  const slots = bulkhead({ policy: () => ({ concurrent: IN_FLIGHT }), clock: systemClock, sleep });
  const options: RetryOptions<"refused"> = {
    policy: DEFAULT_RETRY_POLICY,
    safe: true,
    curable: () => true,
    budget: retryBudget(systemClock),
    deadline: DEADLINE as Deadline,
    expectedMs: 10,
    clock: systemClock,
    random: Math.random,
    sleep,
  };
  const attempt = async () => {
    const slot = slots.enter();
    if (slot === undefined) return err("refused" as const);
    try {
      return await guarded(answer);
    } finally {
      slots.leave(slot);
    }
  };
  return () => retrying(attempt, options);
};

const cockatielPipeline = (): Call => {
  const again = retry(handleAll, {
    maxAttempts: DEFAULT_RETRY_POLICY.attempts,
    backoff: new ConstantBackoff(DEFAULT_RETRY_POLICY.backoffMs),
  });
  const policy = wrap(again, cockatielBulkhead(IN_FLIGHT), cockatielBreaker());
  return () => policy.execute(answer);
};
