/** What is remembered of signed tokens, by their text. */
import { type RecentMap, recentMap } from "./recent-map.ts";

/** Of a signature, which stands last: as good as random, so that two tokens hardly ever share it. */
const TAIL_CHARACTERS = 40;

interface Entry<Value> {
  readonly token: string;
  readonly value: Value;
}

/**
 * A map from whole tokens, found by their ends: to hash a token of a thousand characters anew with each request takes longer
 * than all the rest. Of two with the same end the later one is remembered.
 */
export const tokenMemory = <Value>(entriesMax: number): RecentMap<Value> => {
  const entries = recentMap<Entry<Value>>(entriesMax);
  return {
    get(token) {
      const entry = entries.get(token.slice(-TAIL_CHARACTERS));
      return entry?.token === token ? entry.value : undefined;
    },
    set: (token, value) => entries.set(token.slice(-TAIL_CHARACTERS), { token, value }),
    size: entries.size,
  };
};
