/** The limits of a route as they are gone by: with defaults, and each with a name of its own. */
import type { WrittenLimit, WrittenRateLimit } from "./rate-limit-schema.ts";

/** What each field is where it is not written; `burst` is `limit` then. */
export const RATE_LIMIT_DEFAULTS = {
  limit: 100,
  periodSeconds: 1,
  by: "client",
  tier: "isolate",
  shards: 8,
} as const satisfies WrittenLimit;

export type CountedBy = NonNullable<WrittenLimit["by"]>;

export interface NamedLimit {
  readonly name: string;
  readonly limit: number;
  readonly periodSeconds: number;
  readonly burst: number;
  readonly by: CountedBy;
  readonly tier: "isolate" | "location" | "exact";
  readonly shards: number;
  readonly binding: string | undefined;
}

/** In the order in which they were written. */
export const namedLimits = (written: WrittenRateLimit): NamedLimit[] => {
  const taken = new Set<string>();
  return (Array.isArray(written) ? written : [written]).map((one) => {
    const { limit, periodSeconds, by, tier, shards } = RATE_LIMIT_DEFAULTS;
    const whole = {
      limit: one.limit ?? limit,
      periodSeconds: one.periodSeconds ?? periodSeconds,
      burst: one.burst ?? one.limit ?? limit,
      by: one.by ?? by,
      tier: one.tier ?? tier,
      shards: one.shards ?? shards,
      binding: one.binding,
    };
    const wanted = one.name ?? `${textOf(whole.by)}-${whole.periodSeconds}s`;
    let name = wanted;
    for (let nth = 2; taken.has(name); nth++) name = `${wanted}-${nth}`;
    taken.add(name);
    return { ...whole, name };
  });
};

/** What `by` is called in names. */
export const textOf = (by: CountedBy): string => {
  if (typeof by === "string") return by;
  return "header" in by ? by.header.toLowerCase() : by.cookie;
};
