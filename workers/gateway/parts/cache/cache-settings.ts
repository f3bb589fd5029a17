/** A cache's settings as they are gone by: what was written, with a default for everything that was not. */
import type { WrittenCache } from "./cache-schema.ts";

type Needed =
  | "bytesMax"
  | "entryBytesMax"
  | "varyMax"
  | "staleWhileRevalidateSeconds"
  | "staleIfErrorSeconds"
  | "coalesce"
  | "methods"
  | "cookies"
  | "setCookie"
  | "tier";

export type CacheSettings = Omit<WrittenCache, Needed> & {
  readonly [Field in Needed]: NonNullable<WrittenCache[Field]>;
};

export const CACHE_DEFAULTS = {
  bytesMax: 8 * 1024 * 1024,
  entryBytesMax: 256 * 1024,
  varyMax: 8,
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 0,
  coalesce: true,
  methods: ["GET", "HEAD"],
  cookies: "careful",
  setCookie: "skip",
  tier: "isolate",
} satisfies CacheSettings;

export const cacheSettings = (written: WrittenCache): CacheSettings =>
  ({ ...CACHE_DEFAULTS, ...written }) as CacheSettings;
