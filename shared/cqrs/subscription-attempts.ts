/** One attempt of a process at an event: in its turn, in the event's trace, with every outcome a value. */
import { bounded } from "../control/bounded.ts";
import type { Failure } from "../http/errors.ts";
import { err, type Result } from "../result.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import { withTrace } from "../telemetry/propagation.ts";
import { inSpan, refuseSpan } from "../telemetry/span.ts";
import type { Process } from "./process.ts";
import { semaphore } from "./semaphore.ts";
import { subscriptionMetrics } from "./subscription-metrics.ts";
import type { SubscriptionPolicy } from "./subscription-options.ts";
import type { Step } from "./subscription-step.ts";

export interface Attempts {
  /** Rejects with the signal's reason when its turn comes too late. */
  first(step: Step, signal: AbortSignal): Promise<Result<unknown, Failure>>;
  /** As `first`, for what failed before: it takes at most half of the places, so that it does not hold up what is new. */
  again(step: Step, signal?: AbortSignal): Promise<Result<unknown, Failure>>;
}

export const attemptsOf = (
  process: Process,
  policy: Pick<SubscriptionPolicy, "concurrency" | "attemptMs">,
  { clock, sleep }: { clock: Clock; sleep: Sleep },
): Attempts => {
  const places = semaphore(policy.concurrency);
  const placesAgain = semaphore(Math.max(1, Math.floor(policy.concurrency / 2)));
  const metrics = subscriptionMetrics(process.name, process.source);
  const destination = `log-${process.source}`;

  /** What a handler does after its time it does still, but nobody hears of it: its commands' ids make that harmless. */
  const inTime = ({ event, commit }: Step): Promise<Result<unknown, Failure>> => {
    let over: AbortSignal | undefined;
    const handled = bounded({ ms: policy.attemptMs, sleep }, (signal) => {
      over = signal;
      return process.handle(event, commit, signal);
    });
    return handled.catch((thrown: unknown) => {
      if (!over?.aborted || thrown !== over.reason) throw thrown;
      return err(tooLong(event.id, policy.attemptMs));
    });
  };

  const handle = (step: Step) => {
    const { event, commit } = step;
    return withTrace(commit.trace, () =>
      inSpan(
        `process ${destination}`,
        {
          kind: "consumer",
          attributes: {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": destination,
            "messaging.consumer.group.name": process.name,
            "messaging.message.id": event.id,
            "skerry.event.type": event.type,
            // By which a trace is looked for: the event's id need not tell whom it is about.
            "skerry.aggregate.id": commit.aggregate.id,
          },
        },
        async (span): Promise<Result<unknown, Failure>> => {
          const result = await inTime(step);
          if (!result.ok) refuseSpan(span, result.error);
          return result;
        },
      ),
    ).catch(
      // What was thrown is told by the span alone: the parking is shown to everyone.
      (): Result<unknown, Failure> =>
        err({
          code: "internal_error",
          detail: `Handling "${event.id}" failed in a way that was not expected`,
        }),
    );
  };

  const attempt = async (step: Step, signal?: AbortSignal): Promise<Result<unknown, Failure>> => {
    // What was interrupted before it comes again later, so what follows it must not be handled now.
    signal?.throwIfAborted();
    const began = clock();
    const result = await handle(step);
    const ended = clock();
    metrics.handled({
      tookMs: ended - began,
      ...(result.ok ? { lagMs: ended - Date.parse(step.event.time) } : { error: result.error.code }),
    });
    return result;
  };

  return {
    first: (step, signal) => places(() => attempt(step, signal)),
    again: (step, signal) => placesAgain(() => places(() => attempt(step, signal))),
  };
};

const tooLong = (id: string, ms: number): Failure => ({
  code: "deadline_exceeded",
  detail: `Handling "${id}": it took longer than ${ms} ms`,
});
