/** A rate limit told to clients: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), `Retry-After`. */
import type { RateVerdict } from "./rate-limit.ts";

export interface NamedLimit {
  /** How clients know the policy; printable ASCII. */
  readonly name: string;
  /** Units in each period. */
  readonly limit: number;
  /** Whole seconds: the draft knows no fractions. */
  readonly periodSeconds: number;
}

export interface RateLimitFields {
  /** The item of `RateLimit-Policy`: always the same. Several policies are appended to one field. */
  readonly policy: string;
  /** The item of `RateLimit`: what is left now. `Retry-After` never ends before its window does, as section 6 asks. */
  current(verdict: Pick<RateVerdict, "remaining" | "resetMs">): string;
}

/**
 * Works out once what does not change.
 * @throws RangeError when name, limit or period cannot be written as a structured field (RFC 9651)
 */
export const rateLimitFields = ({ name, limit, periodSeconds }: NamedLimit): RateLimitFields => {
  const quoted = sfString(name);
  if (periodSeconds < 1) {
    throw new RangeError(
      `Writing rate limit "${name}": its period is "${periodSeconds}" s, expected at least 1`,
    );
  }
  return {
    policy: `${quoted};q=${sfInteger(limit)};w=${sfInteger(periodSeconds)}`,
    current: ({ remaining, resetMs }) => `${quoted};r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
  };
};

/** Whole seconds (RFC 9110, section 10.2.3), rounded up: who comes then is not too early. Undefined when no wait helps. */
export const retryAfterField = (retryAfterMs: number): string | undefined =>
  Number.isFinite(retryAfterMs) ? `${Math.ceil(Math.max(0, retryAfterMs) / 1_000)}` : undefined;

/** RFC 9651, section 4.1.6. */
const sfString = (text: string): string => {
  if (!/^[\x20-\x7e]*$/.test(text)) {
    throw new RangeError(`Writing "${text}" as a structured field: expected printable ASCII`);
  }
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
};

/** RFC 9651, section 4.1.4: at most 15 digits. */
const sfInteger = (value: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > 999_999_999_999_999) {
    throw new RangeError(
      `Writing "${value}" as a structured field: expected a whole number of at most 15 digits`,
    );
  }
  return value;
};
