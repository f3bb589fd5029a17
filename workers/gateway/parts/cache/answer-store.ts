/** The stored answers of one route in one isolate: bounded by bytes, what was used least lately makes room. */
import { LIMITS } from "#shared/limits.ts";
import { parseHttpDate } from "./http-date.ts";
import { type StoredAnswer, storedHeader } from "./stored-answer.ts";
import { fits, type SelectingHeader, TENANT } from "./variants.ts";

export interface AnswerStore {
  /** The newest of those that fit; undefined: none does. */
  find(key: string, header: SelectingHeader): StoredAnswer | undefined;
  /** Whether there is any answer to the address, for others of the same tenant. */
  has(key: string, header: SelectingHeader): boolean;
  /**
   * In the place of those that fit the same request. Not kept when it is too large, or when the address was invalidated
   * after `since`.
   */
  put(key: string, answer: StoredAnswer, options: { header: SelectingHeader; since: number }): boolean;
  /** Those that fit the request. */
  drop(key: string, header: SelectingHeader): void;
  /** All answers to the address, every tenant's, and those that are on their way. */
  invalidate(key: string): void;
  /** To be remembered when a request is sent, for `put`. */
  invalidations(): number;
  /** Bytes counted now. */
  bytes(): number;
}

/** What one tenant has of an address, or nobody: none pushes out what is another's, but by the bytes of all. */
interface Place {
  readonly key: string;
  readonly variants: readonly StoredAnswer[];
  readonly bytes: number;
}

/** No URL has a blank in it, and no tenant has one. */
const placeOf = (key: string, header: SelectingHeader): string => {
  const tenant = header(TENANT);
  return tenant === undefined ? key : `${tenant} ${key}`;
};

export const answerStore = ({ bytesMax, varyMax }: { bytesMax: number; varyMax: number }): AnswerStore => {
  /** Those used most lately are last. */
  const places = new Map<string, Place>();
  /** By the address: the places of tenants that it has, for a change ends them all. */
  const tenants = new Map<string, Set<string>>();
  const invalidated = new Map<string, number>();
  let bytes = 0;
  let invalidations = 0;
  let forgotten = 0;

  const remove = (name: string): void => {
    const place = places.get(name);
    if (!place) return;
    bytes -= place.bytes;
    places.delete(name);
    const others = tenants.get(place.key);
    if (others?.delete(name) && others.size === 0) tenants.delete(place.key);
  };

  const enter = (name: string, place: Place): void => {
    places.set(name, place);
    bytes += place.bytes;
    if (name === place.key) return;
    const others = tenants.get(place.key);
    if (others) others.add(name);
    else tenants.set(place.key, new Set([name]));
  };

  /** @param variants those used most lately first; as many of them are kept as there is room for */
  const keep = (key: string, name: string, variants: readonly StoredAnswer[]): void => {
    remove(name);
    let kept = variants.slice(0, varyMax);
    while (kept.length > 0 && sizeOf(name, kept) > bytesMax) kept = kept.slice(0, -1);
    if (kept.length === 0) return;
    const size = sizeOf(name, kept);
    for (const oldest of places.keys()) {
      if (bytes + size <= bytesMax) break;
      remove(oldest);
    }
    enter(name, { key, variants: kept, bytes: size });
  };

  const rest = (name: string, header: SelectingHeader): readonly StoredAnswer[] =>
    places.get(name)?.variants.filter(({ selectors }) => !fits(selectors, header)) ?? [];

  return {
    find(key, header) {
      const name = placeOf(key, header);
      const place = places.get(name);
      if (!place) return undefined;
      const fitting = place.variants.filter(({ selectors }) => fits(selectors, header));
      const found = fitting.reduce<StoredAnswer | undefined>(newer, undefined);
      if (!found) return undefined;
      const { variants: all } = place;
      const variants = all[0] === found ? all : [found, ...all.filter((variant) => variant !== found)];
      places.delete(name);
      places.set(name, { ...place, variants });
      return found;
    },
    has: (key, header) => places.has(placeOf(key, header)),
    put(key, answer, { header, since }) {
      if ((invalidated.get(key) ?? forgotten) > since) return false;
      const name = placeOf(key, header);
      if (sizeOf(name, [answer]) > bytesMax) return false;
      keep(key, name, [answer, ...rest(name, header)]);
      return true;
    },
    drop(key, header) {
      const name = placeOf(key, header);
      keep(key, name, rest(name, header));
    },
    invalidate(key) {
      for (const name of [key, ...(tenants.get(key) ?? [])]) remove(name);
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

const sizeOf = (name: string, variants: readonly StoredAnswer[]): number =>
  variants.reduce((sum, variant) => sum + variant.bytes, 2 * name.length);

/** By `Date` (RFC 9111 section 4); of equals the one that came later. */
const newer = (one: StoredAnswer | undefined, other: StoredAnswer): StoredAnswer => {
  if (one === undefined) return other;
  const [oneMs, otherMs] = [dateOf(one), dateOf(other)];
  if (oneMs !== otherMs) return oneMs > otherMs ? one : other;
  return one.respondedAt >= other.respondedAt ? one : other;
};

const dateOf = (answer: StoredAnswer): number =>
  parseHttpDate(storedHeader(answer, "date"), answer.respondedAt) ?? answer.respondedAt;
