/** Whether a stored answer may be given now, and if not, why (RFC 9111 section 4, RFC 5861). */
import type { AnswerTerms } from "./answer-terms.ts";
import type { ForwardReason } from "./cache-status.ts";
import type { RequestWishes } from "./request-wishes.ts";

export type Reuse =
  /** As it is: fresh, or as stale as the client allows. */
  | { readonly kind: "give" }
  /** As it is, and a newer one is fetched behind it. */
  | { readonly kind: "give_and_revalidate" }
  | { readonly kind: "ask"; readonly reason: ForwardReason };

type Aged = Pick<AnswerTerms, "initialAgeMs"> & { readonly respondedAt: number };

/** Milliseconds (section 4.2.3); a clock that goes back makes nothing younger than it came. */
export const ageOf = ({ initialAgeMs, respondedAt }: Aged, nowMs: number): number =>
  initialAgeMs + Math.max(0, nowMs - respondedAt);

export const isFresh = (stored: AnswerTerms & Aged, nowMs: number): boolean =>
  !stored.validateAlways && stored.lifetimeMs > ageOf(stored, nowMs);

/** Whether others who ask for nothing in particular get it now: while it is fresh, or while it is asked for again behind them. */
export const isForOthers = (stored: AnswerTerms & Aged, nowMs: number): boolean =>
  !stored.validateAlways && stored.lifetimeMs + stored.whileRevalidateMs > ageOf(stored, nowMs);

/** What RFC 5861 section 4 calls an error. */
export const isError = (status: number): boolean => ERRORS.has(status);

const ERRORS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export const reuseOf = (stored: AnswerTerms & Aged, wishes: RequestWishes, nowMs: number): Reuse => {
  const ageMs = ageOf(stored, nowMs);
  const freshMs = stored.lifetimeMs - ageMs;
  const isFresh = freshMs > 0;
  if (stored.validateAlways) return { kind: "ask", reason: "stale" };
  if (wishes.noCache || ageMs > (wishes.maxAgeMs ?? Number.POSITIVE_INFINITY))
    return { kind: "ask", reason: isFresh ? "request" : "stale" };
  if (isFresh) return freshMs >= wishes.minFreshMs ? { kind: "give" } : { kind: "ask", reason: "request" };
  if (wishes.minFreshMs > 0) return { kind: "ask", reason: "stale" };
  if (-freshMs < stored.whileRevalidateMs) return { kind: "give_and_revalidate" };
  if (stored.staleAtAll && wishes.maxStaleMs > 0 && -freshMs <= wishes.maxStaleMs) return { kind: "give" };
  return { kind: "ask", reason: "stale" };
};

/** In the place of a 500, 502, 503 or 504 (RFC 5861 section 4); the client may ask for longer. */
export const mayReplaceError = (
  stored: AnswerTerms & Aged,
  wishes: RequestWishes,
  nowMs: number,
): boolean => {
  const staleMs = ageOf(stored, nowMs) - stored.lifetimeMs;
  if (wishes.noCache || stored.validateAlways) return false;
  return staleMs < Math.max(stored.ifErrorMs, stored.staleAtAll ? wishes.ifErrorMs : 0);
};

/**
 * Between a refusal and nothing at all: as stale as whoever asks allows, unless the answer forbids it (section 4.2.4).
 * @param maxStaleMs beyond its lifetime
 */
export const mayFallBack = (stored: AnswerTerms & Aged, nowMs: number, maxStaleMs: number): boolean => {
  const staleMs = ageOf(stored, nowMs) - stored.lifetimeMs;
  if (stored.validateAlways || staleMs > maxStaleMs) return false;
  return stored.staleAtAll || staleMs < Math.max(0, stored.ifErrorMs);
};
