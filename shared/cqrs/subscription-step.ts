/** One event that a process is to handle: the unit of its order, its attempts and its progress. */
import type { Commit, RecordedEvent } from "../events/event.ts";

export interface Step {
  readonly commit: Commit;
  readonly event: RecordedEvent;
  /** Place of the event in its commit, from 0. */
  readonly part: number;
  /** Steps of one key are done in order; undefined when it could not be told. */
  readonly key: string | undefined;
}

export interface KeyedStep extends Step {
  readonly key: string;
}

/** How often a step was tried in vain. */
export interface Tries {
  readonly attempts: number;
  /** Those that count: `unavailable` does not. */
  readonly counted: number;
  /** Epoch ms before which it is not tried again. */
  readonly notBefore: number;
}

/** The step of an event that was put aside. @throws Error when its commit does not hold it */
export const stepOf = (commit: Commit, eventId: string, key: string): KeyedStep => {
  const part = commit.events.findIndex(({ id }) => id === eventId);
  const event = commit.events[part];
  if (event) return { commit, event, part, key };
  throw new Error(`Cannot handle "${eventId}": its commit does not hold it`);
};
