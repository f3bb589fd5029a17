/** At most so many at once; the others wait in the order of asking. */

export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

export const semaphore = (places: number): Semaphore => {
  const waiting: Array<() => void> = [];
  let free = places;
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
};
