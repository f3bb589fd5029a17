/** Turns on aggregates: one at a time on each, in the order of asking, within a command's time, and a bounded number that waits. */
import type { AggregateRef } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, type Result } from "../result.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Aggregates } from "./command-actor.ts";
import { keyOf, type Wanted } from "./folded-states.ts";
import type { Mutex } from "./mutex.ts";

export interface TurnOptions<T> {
  /** Epoch ms; now when absent. */
  readonly askedAt?: number;
  /** What is answered when the turn comes too late for the work; undefined for nothing. */
  readonly late?: ((ref: AggregateRef) => T | undefined) | undefined;
}

/** Refuses with `unavailable` when others take too long, or are too many. @throws Error for a type that there is not */
export type InTurn = <T>(
  aggregate: AggregateRef,
  work: (wanted: Wanted) => Promise<T>,
  options?: TurnOptions<T>,
) => Promise<T | Result<never, Failure>>;

/** @param options.done told after each turn, before the next one begins */
export const turns = ({
  aggregates,
  exclusively,
  clock,
  done,
}: {
  aggregates: Aggregates;
  exclusively: Mutex;
  clock: Clock;
  done: (wanted: Wanted) => void;
}): InTurn => {
  /** Those who wait for their turn or have it, by aggregate. */
  const waiting = new Map<string, number>();

  const counted = async <T>(key: string, before: number, turn: () => Promise<T>): Promise<T> => {
    waiting.set(key, before + 1);
    try {
      return await turn();
    } finally {
      const left = (waiting.get(key) ?? 1) - 1;
      if (left > 0) waiting.set(key, left);
      else waiting.delete(key);
    }
  };

  return async <T>(
    { type, id }: AggregateRef,
    work: (wanted: Wanted) => Promise<T>,
    { askedAt = clock(), late }: TurnOptions<T> = {},
  ) => {
    const aggregate = aggregates[type];
    if (!aggregate) throw new Error(`Cannot find "${id}" of "${type}": no such aggregate`);
    const wanted = { ref: { type, id }, aggregate, until: askedAt + LIMITS.commandMs };
    const key = keyOf(wanted.ref);
    const before = waiting.get(key) ?? 0;
    if (before >= LIMITS.commandsWaiting) return unavailable("Too many others wait to be served");

    const turn = async () => {
      if (clock() - askedAt > LIMITS.commandQueueMs)
        return late?.(wanted.ref) ?? unavailable("Others were served first for too long");
      try {
        return await work(wanted);
      } finally {
        done(wanted);
      }
    };
    return counted(key, before, () => exclusively(key, turn));
  };
};

const unavailable = (detail: string): Result<never, Failure> => err({ code: "unavailable", detail });
