/** One read of the same at a time: who asks while it is under way shares the next, so nobody is shown what was read before it asked. */
import { keyedMutex } from "./mutex.ts";

/** Only for an Actor: elsewhere a promise must not pass from one request to another. */
export type SharedReads<T> = (key: string, read: () => Promise<T>) => Promise<T>;

export const sharedReads = <T>(): SharedReads<T> => {
  const oneAtATime = keyedMutex();
  /** Those that have not begun. */
  const next = new Map<string, Promise<T>>();
  return (key, read) => {
    const shared = next.get(key);
    if (shared) return shared;
    let hasBegun = false;
    const mine = oneAtATime(key, () => {
      hasBegun = true;
      next.delete(key);
      return read();
    });
    if (!hasBegun) next.set(key, mine);
    return mine;
  };
};
