/** What an isolate remembers of credentials, for all of its routes together: plain data, bounded, in memory only. */

import type { Fetch } from "#shared/identity/fetch-key-set.ts";
import type { KeySet, PublicJwk } from "#shared/identity/key-set.ts";
import { fetchedKeySet, givenKeySet, type KeySetSource } from "#shared/identity/key-set-source.ts";
import { type RecentMap, recentMap } from "#shared/identity/recent-map.ts";
import { tokenMemory } from "#shared/identity/token-memory.ts";
import { LIMITS } from "#shared/limits.ts";
import { type RateLimiter, type RateLimitSettings, rateLimiter } from "#shared/resilience/rate-limit.ts";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { Admission } from "./token-claims.ts";

export interface AuthenticationMemory {
  readonly clock: Clock;
  /**
   * Digests of keys that were right, by their text. It keeps no secret that the isolate would not hold while it serves the
   * request, and a digest is the same under every configuration: whether it lets anybody in is looked up each time.
   */
  readonly digests: RecentMap<Uint8Array>;
  /** Tokens whose signature was verified, by their text. */
  readonly tokens: RecentMap<KnownToken>;
  /** Imported keys by algorithm: keys, not promises of keys, for a promise belongs to the request that made it. */
  readonly imported: WeakMap<PublicJwk, Map<string, CryptoKey>>;
  /** Counts by networks what was not valid: the same for the same settings, so that guesses at all routes are counted together. */
  failureLimiter(settings: CountedFailures): RateLimiter;
  /** The same source for the same URL, or the same document. */
  keysOf(at: { readonly jwksUrl: string } | { readonly jwks: object }): KeySetSource;
}

/** See {@link RateLimitSettings}. */
type CountedFailures = Required<Omit<RateLimitSettings, "keysMax">>;

export interface KnownToken {
  /** What it was verified by: it holds no longer than its issuer's keys do. */
  readonly set: KeySet;
  /** What the issuer's settings make of it: of those that asked last. */
  readonly settings: object;
  readonly admission: Admission;
  readonly keys: KeySetSource;
}

export interface AuthenticationMemoryOptions {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Fetches key sets from their issuers. */
  readonly fetch: Fetch;
}

/** One for an isolate: made where the gateway is wired, told to each route's part. */
export const authenticationMemory = (options: AuthenticationMemoryOptions): AuthenticationMemory => {
  const { clock } = options;
  const fetched = recentMap<KeySetSource>(LIMITS.keySets);
  const given = new WeakMap<object, KeySetSource>();
  const failures = recentMap<RateLimiter>(LIMITS.failureSettings);

  const failureLimiter = (settings: CountedFailures): RateLimiter => {
    const name = JSON.stringify([settings.limit, settings.periodSeconds, settings.burst]);
    const limiter = failures.get(name) ?? rateLimiter({ ...settings, keysMax: LIMITS.failedNetworks }, clock);
    failures.set(name, limiter);
    return limiter;
  };

  const fetchedFrom = (url: string): KeySetSource => {
    const source = fetched.get(url) ?? fetchedKeySet({ ...options, url });
    fetched.set(url, source);
    return source;
  };
  const givenBy = (document: object): KeySetSource => {
    const source = given.get(document) ?? givenKeySet(document);
    given.set(document, source);
    return source;
  };

  return {
    clock,
    digests: recentMap(LIMITS.apiKeysRemembered),
    tokens: tokenMemory(LIMITS.tokensRemembered),
    imported: new WeakMap(),
    failureLimiter,
    keysOf: (at) => ("jwksUrl" in at ? fetchedFrom(at.jwksUrl) : givenBy(at.jwks)),
  };
};
