/** Finds out who calls by an API key. */
import { apiKeyId, digestOf, equalDigests, readDigest } from "#shared/identity/api-key.ts";
import { err, ok } from "#shared/result.ts";
import type { AuthenticationMemory } from "./authentication-memory.ts";
import type { ApiKeyEntry, ApiKeySettings } from "./authentication-schema.ts";
import { type Authenticated, credentialAfter, type Method } from "./method.ts";

export const API_KEY_DEFAULTS = { header: "x-api-key", scheme: "Bearer" } as const;

const AUTHORIZATION = "authorization";
const PREFIX = "sk_";

/** @param besideTokens whether bearer tokens are taken, too: then only what looks like a key is one */
export const apiKeys = (
  settings: ApiKeySettings,
  memory: AuthenticationMemory,
  besideTokens: boolean,
): Method => {
  const { header = API_KEY_DEFAULTS.header, scheme = API_KEY_DEFAULTS.scheme, keys } = settings;
  const inAuthorization = header === AUTHORIZATION;
  const sharesScheme = inAuthorization && besideTokens && scheme.toLowerCase() === "bearer";
  const { clock, digests } = memory;

  const judgeDigest = (id: string, entry: ApiKeyEntry, digest: Uint8Array): Authenticated => {
    const { expected, expiresMs, caller } = compiled(id, entry);
    if (!expected || !equalDigests(digest, expected)) return WRONG;
    if (entry.disabled) return DISABLED;
    return clock() < expiresMs ? caller : EXPIRED;
  };

  const judgeAnew = async (key: string, id: string, entry: ApiKeyEntry): Promise<Authenticated> => {
    const digest = await digestOf(key);
    const judged = judgeDigest(id, entry, digest);
    if (judged.ok) digests.set(key, digest);
    return judged;
  };

  return {
    scheme: inAuthorization ? scheme : "ApiKey",
    header,
    credential({ headers }) {
      const value = headers.get(header);
      if (!inAuthorization) return value ?? undefined;
      const key = credentialAfter(scheme, value);
      return sharesScheme && !key?.startsWith(PREFIX) ? undefined : key;
    },
    judge(key) {
      const id = apiKeyId(key);
      // That an id is not known may be found out by the time it takes: ids are no secrets.
      const entry = id !== undefined && Object.hasOwn(keys, id) ? keys[id] : undefined;
      if (id === undefined || !entry) return () => WRONG;
      const digest = digests.get(key);
      return digest ? judgeDigest(id, entry, digest) : () => judgeAnew(key, id, entry);
    },
  };
};

const refused = (why: string): Authenticated => err({ code: "credentials_not_valid", why });
const WRONG: Authenticated = err({
  code: "credentials_not_valid",
  why: "the API key is not known",
  guess: true,
});
const DISABLED = refused("the API key is disabled");
const EXPIRED = refused("the API key has expired");

interface Compiled {
  readonly expected: Uint8Array | undefined;
  readonly expiresMs: number;
  readonly caller: Authenticated;
}

/** By the entry itself, when it is first asked for: thousands of routes may share thousands of keys. */
const known = new WeakMap<ApiKeyEntry, Compiled>();

const compiled = (id: string, entry: ApiKeyEntry): Compiled => {
  const before = known.get(entry);
  if (before) return before;
  const { hash, expiresAt, owner = id, scopes = [], tenant } = entry;
  const made: Compiled = {
    expected: readDigest(hash),
    expiresMs: expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
    caller: ok({ subject: owner, scopes, by: "api_key", ...(tenant !== undefined && { tenant }) }),
  };
  known.set(entry, made);
  return made;
};
