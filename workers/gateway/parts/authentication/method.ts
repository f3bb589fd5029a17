/** What the ways to find out who calls have in common. */
import type { Caller } from "#shared/identity/caller.ts";
import type { Result } from "#shared/result.ts";
import type { Exchange } from "../../exchange.ts";

export interface AuthenticationFault {
  /** `unavailable`: it cannot be found out at the moment. */
  readonly code: "credentials_not_valid" | "unavailable";
  /** A sentence without its full stop, in ASCII without quotes, for it stands in a header, too. Nothing of the credential. */
  readonly why: string;
  /** It may be a guess, and counts as one; not what was right once, as a token that has expired. */
  readonly guess?: true;
}

export type Authenticated = Result<Caller, AuthenticationFault>;

/** Finds out by digest or signature; never throws or rejects. */
export type Check = () => Authenticated | Promise<Authenticated>;

export interface Method {
  /** Of its challenge (RFC 9110 section 11.3). */
  readonly scheme: string;
  /** The header that has its credential; undefined where that is none of the request's headers. */
  readonly header?: string;
  /** Undefined when the request presents nothing of the kind. */
  credential(request: Request): string | undefined;
  /**
   * What is known of it already; a check where nothing is, which may be a guess, and a promise where it was right before and
   * is looked at anew.
   */
  judge(credential: string, exchange: Exchange): Authenticated | Promise<Authenticated> | Check;
}

/** What follows the scheme in `Authorization`: "" when nothing does, undefined when it is another scheme. */
export const credentialAfter = (scheme: string, value: string | null): string | undefined => {
  if (value === null) return undefined;
  // As nearly all clients write it: looked at first, because this stands on every request's way.
  const isExact = value.startsWith(scheme);
  if (!isExact && value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return undefined;
  if (value.length === scheme.length) return "";
  return value[scheme.length] === " " ? value.slice(scheme.length + 1).trim() : undefined;
};
