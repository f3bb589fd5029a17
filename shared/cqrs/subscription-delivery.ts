/** What becomes of an event: handled, waiting for another attempt, or parked; and what operators do to a parked one. */
import type { Failure } from "../http/errors.ts";
import { err, ok, type Result } from "../result.ts";
import { type Clock, type Random, rfc3339 } from "../runtime/clock.ts";
import { inSpan } from "../telemetry/span.ts";
import { backoffMs } from "./backoff.ts";
import type { Mutex } from "./mutex.ts";
import { NO_KEY, type ParkedEvent, type Parking } from "./parking.ts";
import type { Process } from "./process.ts";
import { PARKED_BEHIND } from "./projection-parking.ts";
import type { Attempts } from "./subscription-attempts.ts";
import type { SubscriptionPolicy } from "./subscription-options.ts";
import type { KeyedStep, Step, Tries } from "./subscription-step.ts";
import type { FailedTries, WaitingEvents, WaitingHead } from "./subscription-waiting.ts";

/** `aside`: it stands in the Actor's SQLite, waiting or parked, and the log is not needed for it any more. */
export type Outcome = "handled" | "aside";

/** A step that was taken: who takes it a second time comes after whoever is at it, and finds out what became of it. */
export interface OpenStep {
  isOpen(): boolean;
  finish(): void;
  /** Told what was thrown before the key's next one has its turn, which is not to overtake. */
  failed(thrown: unknown): void;
}

export interface Delivery {
  /**
   * A step that the log brings; steps of one key one after another. Rejects when the signal aborts before it has begun; after
   * that it goes on. Who takes the same step again meanwhile is told what became of it.
   */
  first(step: Step, open: OpenStep, signal: AbortSignal): Promise<Outcome>;
  /** The first that waits of a key, once more. */
  again(key: string, head: WaitingHead, signal: AbortSignal): Promise<void>;
  replay(id: string): Promise<Result<{ id: string }, Failure>>;
  drop(id: string, reason: string): Promise<Result<{ id: string }, Failure>>;
}

const UNTRIED: Tries = { attempts: 0, counted: 0, notBefore: 0 };

export const delivery = ({
  process,
  policy,
  attempts,
  waiting,
  parked,
  inOrder,
  waits,
  clock,
  random,
}: {
  process: Process;
  policy: SubscriptionPolicy;
  attempts: Attempts;
  waiting: WaitingEvents;
  parked: Parking;
  /** Held by a key for as long as one of its steps is tried. */
  inOrder: Mutex;
  /** Told of a key that waits from now on. */
  waits: (key: string) => void;
  clock: Clock;
  random: Random;
}): Delivery => {
  const park = (step: Step, reason: Failure, tried: number) => {
    const { event, commit } = step;
    const entry: ParkedEvent = {
      id: event.id,
      process: process.name,
      source: process.source,
      position: commit.position,
      aggregateId: commit.aggregate.id,
      ...(step.key !== undefined && { key: step.key }),
      type: event.type,
      reason,
      attempts: tried,
      parkedAt: rfc3339(clock()),
      ...(commit.trace.traceparent && { traceparent: commit.trace.traceparent }),
    };
    parked.park(entry, step);
  };

  /** Parks it when it has to wait behind one that is. */
  const parkedBehind = (step: KeyedStep): boolean => {
    if (policy.whenParked !== "wait" || !parked.blocks(step)) return false;
    park(step, behind(parked.firstOf(step.key)?.event.id), 0);
    return true;
  };

  const afterFailure = ({ attempts: before, counted }: Tries, { code }: Failure): FailedTries => ({
    attempts: before + 1,
    // Infrastructure that is away is no reason to give an event up.
    counted: code === "unavailable" ? counted : counted + 1,
    notBefore: clock() + backoffMs(before + 1, random, policy.backoff),
    unavailable: code === "unavailable",
  });

  /** Those that only waited behind one that is gone from the parking are tried again. */
  const release = (key: string) => {
    let first = parked.firstOf(key);
    for (; first?.event.reason.code === PARKED_BEHIND; first = parked.firstOf(key)) {
      waiting.add(first.step);
      parked.remove(first.event.id);
    }
    if (waiting.has(key)) waits(key);
  };

  const tryFirst = async (step: KeyedStep, signal: AbortSignal): Promise<Outcome> => {
    if (waiting.has(step.key)) {
      waiting.add(step);
      return "aside";
    }
    if (parkedBehind(step)) return "aside";
    const result = await attempts.first(step, signal);
    if (result.ok) {
      parked.settle(step);
      return "handled";
    }
    const tries = afterFailure(UNTRIED, result.error);
    if (tries.counted >= policy.attempts) park(step, result.error, tries.attempts);
    else {
      waiting.add(step, tries);
      waits(step.key);
    }
    return "aside";
  };

  const tryAgain = async (key: string, head: WaitingHead, signal: AbortSignal) => {
    // An earlier one may have come back meanwhile, by a replay of the log; or this one was tried by the slice before.
    const now = waiting.head(key);
    if (now?.id !== head.id || now.attempts !== head.attempts) return;
    const step = waiting.step(key, head.id);
    if (parkedBehind(step)) return waiting.remove(key, head.id);
    const result = await attempts.again(step, signal);
    if (result.ok) {
      waiting.remove(key, head.id);
      return parked.settle(step);
    }
    const tries = afterFailure(head, result.error);
    if (tries.counted < policy.attempts) return waiting.failed(key, head.id, tries);
    park(step, result.error, tries.attempts);
    waiting.remove(key, head.id);
  };

  const notParked = (what: string, id: string): Result<never, Failure> =>
    err({ code: "not_found", detail: `Cannot ${what} "${id}": nothing of this id is parked` });

  return {
    first(step, open, signal) {
      const { key } = step;
      if (key !== undefined) {
        return inOrder(key, async () => {
          if (!open.isOpen()) return "handled";
          try {
            const outcome = await tryFirst({ ...step, key }, signal);
            open.finish();
            return outcome;
          } catch (thrown) {
            open.failed(thrown);
            throw thrown;
          }
        });
      }
      park(step, UNTOLD, 0);
      open.finish();
      return Promise.resolve("aside");
    },
    again: (key, head, signal) => inOrder(key, () => tryAgain(key, head, signal)),
    async replay(id) {
      const key = parked.find(id)?.step.key;
      if (key === undefined) return notParked("replay", id);
      return inOrder(key, async () => {
        const found = parked.find(id);
        if (!found) return notParked("replay", id);
        const first = policy.whenParked === "wait" && key !== NO_KEY ? parked.firstOf(key) : undefined;
        if (first && first.event.id !== id) {
          return err({ code: "replay_failed", detail: `Replaying "${id}": "${first.event.id}" comes first` });
        }
        const result = await attempts.again(found.step);
        if (!result.ok) return replayFailed(id, result.error);
        parked.remove(id);
        release(key);
        return ok({ id });
      });
    },
    async drop(id, reason) {
      const found = parked.find(id);
      if (!found) return notParked("drop", id);
      const { event, step } = found;
      return inSpan(
        `drop log-${process.source}`,
        {
          attributes: {
            "messaging.system": "nats",
            "messaging.destination.name": `log-${process.source}`,
            "messaging.consumer.group.name": process.name,
            "messaging.message.id": id,
            "skerry.event.type": event.type,
            "skerry.aggregate.id": event.aggregateId,
            "skerry.drop.reason": reason,
            ...(event.traceparent && { "skerry.event.traceparent": event.traceparent }),
          },
        },
        async () => {
          parked.remove(id);
          release(step.key);
          return ok({ id });
        },
      );
    },
  };
};

const UNTOLD: Failure = { code: "internal_error", detail: "Its key could not be told: keyOf failed" };

const behind = (id = ""): Failure => ({
  code: PARKED_BEHIND,
  detail: `Waits behind "${id}", which is parked and of the same key`,
});

const replayFailed = (id: string, { code, detail }: Failure): Result<never, Failure> =>
  code === "unavailable"
    ? err({ code, detail })
    : err({ code: "replay_failed", detail: `Replaying "${id}": ${code}, ${detail}` });
