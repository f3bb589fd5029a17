/** Why there is no answer of a service for the client, and how the client is told. */

export type SendRefusal =
  /** Nobody answered. */
  | { readonly code: "unreachable" }
  /** The request's time is over. */
  | { readonly code: "late"; readonly withinMs: number }
  /** The client went away: whatever is answered, nobody reads it. */
  | { readonly code: "client_gone" }
  /** The client did not send its body to the end. */
  | { readonly code: "body_broken" }
  /** A method that has no use for a body came with a large one. */
  | { readonly code: "body_over"; readonly bytesMax: number }
  /** The request's time is over, and it went into the client's body. */
  | { readonly code: "body_late"; readonly withinMs: number }
  /** The breakers of all instances are open; Infinity while an operator holds them open. */
  | { readonly code: "open"; readonly retryAfterMs: number }
  /** No instance is healthy, so nobody was asked. */
  | { readonly code: "no_instance" }
  /** As many requests as may be are under way. */
  | { readonly code: "full" }
  /** The service does not accept what it gets; this one was refused beforehand. */
  | { readonly code: "shed" };

export const UNREACHABLE: SendRefusal = { code: "unreachable" };
export const CLIENT_GONE: SendRefusal = { code: "client_gone" };
export const BODY_BROKEN: SendRefusal = { code: "body_broken" };
export const NO_INSTANCE: SendRefusal = { code: "no_instance" };
export const FULL: SendRefusal = { code: "full" };
export const SHED: SendRefusal = { code: "shed" };

/** Nothing is said of any instance, nor of how much the service can do; nobody tries again, or answers in its place. */
export const isClientsDoing = ({ code }: SendRefusal): boolean =>
  code === "client_gone" || code === "body_broken" || code === "body_over" || code === "body_late";
