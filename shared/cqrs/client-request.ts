/** What a client's request says beside its path and body, and what of it a commit keeps. */
import { context, trace } from "@opentelemetry/api";
import type { Context } from "hono";
import { type CommitMetadata, metadataValue } from "../events/commit-metadata.ts";
import type { Caller } from "../identity/caller.ts";
import type { IdentityEnv } from "../identity/require-identity.ts";

export interface ClientRequest {
  /** Value of the `Idempotency-Key` header. */
  readonly idempotencyKey: string | undefined;
  /** By the gateway's word; undefined where no identity is asked for. */
  readonly caller?: Caller | undefined;
  /** The id that the gateway gave it. */
  readonly requestId?: string | undefined;
}

/** Of the request that a handler serves. */
export const clientRequest = <Env extends IdentityEnv>(c: Context<Env>): ClientRequest => ({
  idempotencyKey: c.req.header("idempotency-key"),
  caller: c.var.caller,
  requestId: c.req.header("x-request-id"),
});

/**
 * The request's id begins a chain, or else its trace. An actor is `<way>:<subject>` (`jwt:alice`), because names that were
 * found out in different ways may be equal and mean different callers.
 */
export const clientMetadata = ({ caller, requestId }: ClientRequest): CommitMetadata => {
  const correlation = requestId || trace.getSpanContext(context.active())?.traceId;
  return {
    ...(correlation && { correlationId: metadataValue(correlation) }),
    ...(caller && caller.by !== "none" && { actor: metadataValue(`${caller.by}:${caller.subject}`) }),
    ...(caller?.tenant !== undefined && { tenant: caller.tenant }),
  };
};
