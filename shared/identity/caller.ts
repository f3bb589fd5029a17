/** Who calls, as the gateway found out and tells the services. */

export interface Caller {
  /** Stable name: a key's owner, a token's subject. Names by different ways (`by`) may be equal and mean different callers. */
  readonly subject: string;
  /** What the caller may do, each a scope-token of RFC 6749 section 3.3. */
  readonly scopes: readonly string[];
  /** How it was found out; `none`: nobody asked, or nobody said. */
  readonly by: (typeof WAYS)[number];
  /** Whose caller it is, where credentials say so: as an aggregate's id, so that it can stand in a subject. */
  readonly tenant?: string;
}

export const WAYS = ["api_key", "jwt", "mtls", "session", "none"] as const;

/** Who calls where nobody has to say who calls. */
export const ANYBODY: Caller = { subject: "anybody", scopes: [], by: "none" };

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a text can be a scope: visible ASCII without `"` and `\`, so that it can stand in a challenge. */
export const isScope = (text: unknown): text is string => typeof text === "string" && SCOPE_TOKEN.test(text);

/** The scopes of a space-separated list, or of an array; what cannot be a scope grants nothing. */
export const scopesOf = (written: unknown): readonly string[] => {
  const each = typeof written === "string" ? written.split(" ") : Array.isArray(written) ? written : [];
  return [...new Set(each.filter(isScope))];
};
