/** Whether an answer may be kept for others (RFC 9111 section 3). */
import { SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import { type AnswerTerms, HEURISTIC_STATUSES } from "./answer-terms.ts";
import type { CacheSettings } from "./cache-settings.ts";
import type { RequestWishes } from "./request-wishes.ts";
import type { Selector } from "./variants.ts";

/** Statuses whose rules for caches are kept here, for `must-understand`. */
const UNDERSTOOD: ReadonlySet<number> = new Set([...HEURISTIC_STATUSES, 302, 303, 307]);

/** Why it is not stored, as a token; undefined: it is. */
export const whyNotStored = (
  { status, headers }: { readonly status: number; readonly headers: Headers },
  terms: AnswerTerms,
  circumstances: {
    readonly wishes: RequestWishes;
    readonly selectors: readonly Selector[] | undefined;
    readonly settings: CacheSettings;
  },
): string | undefined => {
  const { wishes, selectors, settings } = circumstances;
  const { directives } = terms;
  if (wishes.noStore) return "request-no-store";
  if (status < 200 || status === 206 || status === 304) return "status";
  const mustUnderstand = directives.has("must-understand");
  if (mustUnderstand && !UNDERSTOOD.has(status)) return "must-understand";
  if (directives.has("no-store") && !mustUnderstand) return "no-store";
  // Its qualified form is taken as the whole (section 5.2.2.7).
  if (directives.has("private")) return "private";
  if (!maySee(terms, wishes)) return wishes.ofCaller ? "caller" : "cookie";
  // What a service says of one client's session is nobody else's.
  if (headers.has(SET_SESSION_FIELD)) return "session";
  if (settings.setCookie === "skip" && headers.has("set-cookie")) return "set-cookie";
  if (selectors === undefined) return "vary";
  if (Number(headers.get("content-length")) > settings.entryBytesMax) return "too-large";
  return isUseful(headers, terms) ? undefined : "no-freshness";
};

/**
 * Whether an answer may be shared with who asks: with credentials or a known caller only what says so itself
 * (section 3.5), with cookies only what says `public`. It holds for keeping such a caller's answer and for giving one.
 */
export const maySee = (
  terms: Pick<AnswerTerms, "forCallers" | "isPublic">,
  wishes: Pick<RequestWishes, "ofCaller" | "withCookies">,
): boolean => (!wishes.ofCaller || terms.forCallers) && (!wishes.withCookies || terms.isPublic);

/** Fresh for a while, or able to be validated, or of use when the service is not. */
const isUseful = (headers: Headers, terms: AnswerTerms): boolean =>
  terms.lifetimeMs > terms.initialAgeMs ||
  headers.has("etag") ||
  headers.has("last-modified") ||
  terms.whileRevalidateMs > 0 ||
  terms.ifErrorMs > 0;
