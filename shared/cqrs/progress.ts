/** How far a process has come when commits are finished out of order: everything up to its floor is done. */

export interface Progress {
  start(position: number): void;
  finish(position: number): void;
  /** Every commit up to here is finished. */
  floor(): number;
  underWay(): number;
}

export const progressFrom = (position: number): Progress => {
  let newest = position;
  /** Insertion order is the log's order. */
  const unfinished = new Set<number>();
  return {
    start(started) {
      newest = started;
      unfinished.add(started);
    },
    finish: (finished) => void unfinished.delete(finished),
    floor() {
      for (const oldest of unfinished) return oldest - 1;
      return newest;
    },
    underWay: () => unfinished.size,
  };
};
