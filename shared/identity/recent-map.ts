/** A map of bounded size that keeps what was asked for last. */

export interface RecentMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  /** Entries remembered now. */
  size(): number;
}

/**
 * Two generations: what is asked for moves to the younger, and when that is full the older one goes as a whole. Cheaper than
 * moving each entry to the end of a Map, and the half of `entriesMax` that was asked for last always stays.
 */
export const recentMap = <Value>(entriesMax: number): RecentMap<Value> => {
  const generationMax = Math.max(1, Math.floor(entriesMax / 2));
  let younger = new Map<string, Value>();
  let older = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    older.delete(key);
    if (younger.size >= generationMax && !younger.has(key)) {
      older = younger;
      younger = new Map();
    }
    younger.set(key, value);
  };
  return {
    get(key) {
      const known = younger.get(key);
      if (known !== undefined) return known;
      const value = older.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
    size: () => younger.size + older.size,
  };
};
