/** Who was refused and until when: asking again before could only be answered the same. */
import { LIMITS } from "#shared/limits.ts";

export interface KnownRefusals<What> {
  /** Undefined when nothing is known, or the time is over. */
  of(key: string, nowMs: number): { readonly what: What; readonly leftMs: number } | undefined;
  add(key: string, what: What, untilMs: number): void;
}

/** All are forgotten when there are too many: who is forgotten is asked about again. */
export const knownRefusals = <What>(): KnownRefusals<What> => {
  const refused = new Map<string, { readonly what: What; readonly untilMs: number }>();
  return {
    of(key, nowMs) {
      const known = refused.get(key);
      if (!known) return undefined;
      const leftMs = known.untilMs - nowMs;
      if (leftMs > 0) return { what: known.what, leftMs };
      refused.delete(key);
      return undefined;
    },
    add(key, what, untilMs) {
      if (refused.size >= LIMITS.rateLimitKeys) refused.clear();
      refused.set(key, { what, untilMs });
    },
  };
};
