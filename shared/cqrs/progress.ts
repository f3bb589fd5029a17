/** How far a process has come when commits are finished out of order: everything up to its floor is done. */
import type { Commit } from "../events/event.ts";

export interface Progress {
  start(commit: Commit): void;
  finish(commit: Commit): void;
  /** Every commit up to here is finished. */
  floor(): number;
  /** Position of the last commit that was started. */
  newest(): number;
  /** What was started and not finished, in the log's order. */
  unfinished(): Commit[];
}

export const progressFrom = (position: number): Progress => {
  let newest = position;
  /** Insertion order is the log's order. */
  const unfinished = new Map<number, Commit>();
  return {
    start(commit) {
      newest = commit.position;
      unfinished.set(commit.position, commit);
    },
    finish: (commit) => void unfinished.delete(commit.position),
    floor() {
      for (const oldest of unfinished.keys()) return oldest - 1;
      return newest;
    },
    newest: () => newest,
    unfinished: () => [...unfinished.values()],
  };
};
