/** The stored answers of one route in one isolate: bounded by bytes, what was used least lately makes room. */
import { LIMITS } from "#shared/limits.ts";
import { parseHttpDate } from "./http-date.ts";
import { type StoredAnswer, storedHeader } from "./stored-answer.ts";
import { fits, type SelectingHeader } from "./variants.ts";

export interface AnswerStore {
  /** The newest of those that fit; undefined: none does. */
  find(key: string, header: SelectingHeader): StoredAnswer | undefined;
  /** Whether there is any answer to the address. */
  has(key: string): boolean;
  /**
   * In the place of those that fit the same request. Not kept when it is too large, or when the address was invalidated
   * after `since`.
   */
  put(key: string, answer: StoredAnswer, options: { header: SelectingHeader; since: number }): boolean;
  /** Those that fit the request. */
  drop(key: string, header: SelectingHeader): void;
  /** All answers to the address, and those that are on their way. */
  invalidate(key: string): void;
  /** To be remembered when a request is sent, for `put`. */
  invalidations(): number;
  /** Bytes counted now. */
  bytes(): number;
}

interface Address {
  readonly variants: readonly StoredAnswer[];
  readonly bytes: number;
}

export const answerStore = ({ bytesMax, varyMax }: { bytesMax: number; varyMax: number }): AnswerStore => {
  /** Those used most lately are last. */
  const addresses = new Map<string, Address>();
  const invalidated = new Map<string, number>();
  let bytes = 0;
  let invalidations = 0;
  let forgotten = 0;

  const remove = (key: string): void => {
    bytes -= addresses.get(key)?.bytes ?? 0;
    addresses.delete(key);
  };

  /** @param variants those used most lately first; as many of them are kept as there is room for */
  const keep = (key: string, variants: readonly StoredAnswer[]): void => {
    remove(key);
    let kept = variants.slice(0, varyMax);
    while (kept.length > 0 && sizeOf(key, kept) > bytesMax) kept = kept.slice(0, -1);
    if (kept.length === 0) return;
    const size = sizeOf(key, kept);
    for (const oldest of addresses.keys()) {
      if (bytes + size <= bytesMax) break;
      remove(oldest);
    }
    addresses.set(key, { variants: kept, bytes: size });
    bytes += size;
  };

  const rest = (key: string, header: SelectingHeader): readonly StoredAnswer[] =>
    addresses.get(key)?.variants.filter(({ selectors }) => !fits(selectors, header)) ?? [];

  return {
    find(key, header) {
      const address = addresses.get(key);
      if (!address) return undefined;
      const fitting = address.variants.filter(({ selectors }) => fits(selectors, header));
      const found = fitting.reduce<StoredAnswer | undefined>(newer, undefined);
      if (!found) return undefined;
      const { variants: all } = address;
      const variants = all[0] === found ? all : [found, ...all.filter((variant) => variant !== found)];
      addresses.delete(key);
      addresses.set(key, { ...address, variants });
      return found;
    },
    has: (key) => addresses.has(key),
    put(key, answer, { header, since }) {
      if ((invalidated.get(key) ?? forgotten) > since) return false;
      if (sizeOf(key, [answer]) > bytesMax) return false;
      keep(key, [answer, ...rest(key, header)]);
      return true;
    },
    drop: (key, header) => keep(key, rest(key, header)),
    invalidate(key) {
      remove(key);
      invalidated.delete(key);
      invalidated.set(key, ++invalidations);
      if (invalidated.size <= LIMITS.cacheInvalidations) return;
      for (const [oldest, at] of invalidated) {
        // Whoever asked before it may have asked for this address: none of them is kept.
        forgotten = at;
        invalidated.delete(oldest);
        break;
      }
    },
    invalidations: () => invalidations,
    bytes: () => bytes,
  };
};

const sizeOf = (key: string, variants: readonly StoredAnswer[]): number =>
  variants.reduce((sum, variant) => sum + variant.bytes, 2 * key.length);

/** By `Date` (RFC 9111 section 4); of equals the one that came later. */
const newer = (one: StoredAnswer | undefined, other: StoredAnswer): StoredAnswer => {
  if (one === undefined) return other;
  const [oneMs, otherMs] = [dateOf(one), dateOf(other)];
  if (oneMs !== otherMs) return oneMs > otherMs ? one : other;
  return one.respondedAt >= other.respondedAt ? one : other;
};

const dateOf = (answer: StoredAnswer): number =>
  parseHttpDate(storedHeader(answer, "date"), answer.respondedAt) ?? answer.respondedAt;
