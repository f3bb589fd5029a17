import { OpenAPIHono } from "@hono/zod-openapi";
import { context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertMetadata } from "../events/commit-metadata.ts";
import type { Caller } from "../identity/caller.ts";
import type { IdentityEnv } from "../identity/require-identity.ts";
import { type ClientRequest, clientMetadata, clientRequest } from "./client-request.ts";

const caller = (subject: string, by: Caller["by"] = "jwt"): Caller => ({ subject, by, scopes: [] });
const request = (over: Partial<ClientRequest>): ClientRequest => ({ idempotencyKey: undefined, ...over });

describe("what a commit keeps of the client's request", () => {
  beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  const inTrace = <T>(work: () => T): T => {
    const span = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: TraceFlags.NONE,
    };
    return context.with(trace.setSpanContext(ROOT_CONTEXT, span), work);
  };

  it("is its id, or else its trace, or nothing", () => {
    expect(inTrace(() => clientMetadata(request({ requestId: "r1" })))).toEqual({ correlationId: "r1" });
    expect(inTrace(() => clientMetadata(request({})))).toEqual({
      correlationId: "0af7651916cd43dd8448eb211c80319c",
    });
    expect(clientMetadata(request({}))).toEqual({});
  });

  it("is who called and how that is known: equal names by different ways are different actors", () => {
    expect(clientMetadata(request({ caller: caller("alice") }))).toEqual({ actor: "jwt:alice" });
    expect(clientMetadata(request({ caller: caller("alice", "api_key") }))).toEqual({
      actor: "api_key:alice",
    });
    expect(clientMetadata(request({ caller: caller("anybody", "none") }))).toEqual({});
  });

  it("is safe in a header, whatever the caller is called", () => {
    const metadata = clientMetadata(request({ caller: caller("Zoë\r\nx: y"), requestId: " ü " }));
    assertMetadata(metadata);
    expect(metadata.actor).toBe("jwt:Zo%C3%AB%0D%0Ax:%20y");
  });

  it("comes from the header fields and from the verified identity alone", async () => {
    const app = new OpenAPIHono<IdentityEnv>();
    let seen: ClientRequest | undefined;
    app.use((c, next) => {
      c.set("caller", caller("alice"));
      return next();
    });
    app.get("/", (c) => {
      seen = clientRequest(c);
      return c.body(null);
    });
    await app.request("/", {
      headers: { "idempotency-key": '"k"', "x-request-id": "r1", "skerry-actor": "bob" },
    });
    expect(seen).toEqual({ idempotencyKey: '"k"', caller: caller("alice"), requestId: "r1" });
  });
});
