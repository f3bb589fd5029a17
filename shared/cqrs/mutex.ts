/** One at a time per key, in the order of asking. */

export type Mutex = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export const keyedMutex = (): Mutex => {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = last.get(key);
    const mine = before ? before.then(work, work) : work();
    last.set(key, mine);
    const forget = () => {
      if (last.get(key) === mine) last.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  };
};
