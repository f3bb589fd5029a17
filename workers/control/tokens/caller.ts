/** Who calls the control plane, as its token says. */

/** From small to great: each may what those before it may. */
export const ROLES = ["read", "write", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Caller {
  /** The token's name; the author in history. */
  readonly name: string;
  readonly role: Role;
  /** The only services that it may touch; all of them when absent. */
  readonly services?: readonly string[];
}

/** Hono's context as far as it matters here, whatever other variables it holds. */
export interface CallContext {
  readonly var: object;
}

/**
 * The caller that `authorise` let in.
 * @throws Error on a route that needs no token: nobody is known there
 */
export const callerOf = (c: CallContext): Caller => {
  const { caller } = c.var as { caller?: Caller };
  if (!caller) throw new Error("Asking for the caller: expected a route that stands behind a token");
  return caller;
};
