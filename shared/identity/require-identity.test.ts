/** Holds that a service lets in who comes with the gateway's word, and tells the next service whose request it serves. */
import { Hono } from "hono";
import { beforeAll, expect, test, vi } from "vitest";
import type { Upstream } from "../http/upstream.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import { carryIdentity, identifiedUpstream } from "./carry-identity.ts";
import { handClock, newIdentityJwk } from "./fake-identity.ts";
import { publicJwks } from "./identity-keys.ts";
import { identityMinter } from "./identity-minter.ts";
import { type IdentityVerifier, identityVerifier } from "./identity-verifier.ts";
import { fetchedKeySet, givenKeySet } from "./key-set-source.ts";
import { type IdentityEnv, requireIdentity } from "./require-identity.ts";

// It brings the context manager, as each worker's telemetry does.
recordSpans();

const HEADER = "skerry-internal-identity";
const { clock } = handClock();
let verifier: IdentityVerifier;
let token: string;
beforeAll(async () => {
  const key = await newIdentityJwk("k1");
  verifier = identityVerifier({ keys: givenKeySet(publicJwks([key])), audience: "orders", clock });
  token = await identityMinter({ keys: [key], clock }).mint({ subject: "alice", scopes: ["a"], by: "jwt" });
});

/** Answers with its caller, and with what it would send to the next service. */
const service = (by: IdentityVerifier | undefined, warn?: (message: string) => void) => {
  const next: Upstream = { fetch: async (request) => new Response(request.headers.get(HEADER)) };
  const upstream = identifiedUpstream(next);
  return new Hono<IdentityEnv>()
    .use(requireIdentity({ service: "orders", verifier: by, ...(warn && { warn }) }))
    .all("*", async (c) => {
      const answer = await upstream.fetch(new Request("http://catalog/"));
      return c.json({ caller: c.var.caller, carried: await answer.text() });
    });
};

test("who comes with it is known to the handler, and to the service that is called next", async () => {
  const answer = await service(verifier).request("/orders/v1/orders", { headers: { [HEADER]: token } });
  expect(await answer.json()).toEqual({
    caller: { subject: "alice", scopes: ["a"], by: "jwt" },
    carried: token,
  });
});

test.each([
  ["identity_missing", {}],
  ["identity_not_valid", { [HEADER]: "a.b.c" }],
])("who comes without, or with another, is refused: %s", async (code, headers) => {
  const answer = await service(verifier).request("/orders/v1/orders", { headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('SkerryIdentity realm="skerry"');
  expect(await answer.json()).toMatchObject({ type: `/problems/${code}`, instance: "/orders/v1/orders" });
});

test.each([
  ["/healthz", 200],
  ["/readyz", 200],
  ["/orders/v1/openapi.json", 200],
  ["/orders/v1/x/openapi.json", 401],
  ["/orders/healthz", 401],
  ["/readyz/x", 401],
  ["/Readyz", 401],
])("%s answers %i to who comes without", async (path, status) => {
  const answer = await service(verifier).request(path);
  expect(answer.status).toBe(status);
});

test("without keys everybody is let in, and that is said once", async () => {
  const warn = vi.fn();
  const app = service(undefined, warn);
  for (const _ of [1, 2]) expect((await app.request("/orders/v1/orders")).status).toBe(200);
  expect(warn.mock.calls).toEqual([
    ['The service "orders" lets everybody in: it was started without IDENTITY_KEYS'],
  ]);
});

test("a process whose keys cannot be fetched says that it cannot tell, not that the caller is wrong", async () => {
  const keys = fetchedKeySet({
    url: "http://localhost/.well-known/jwks.json",
    fetch: () => Promise.reject(new TypeError("no route")),
    clock,
    sleep: () => new Promise(() => undefined),
  });
  const app = service(identityVerifier({ keys, audience: "orders", clock }));
  const answer = await app.request("/orders/v1/orders", { headers: { [HEADER]: token } });
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await answer.json()).toMatchObject({ type: "/problems/unavailable" });
});

test("outside of a request nothing is carried, and what cannot be changed is copied", async () => {
  const seen: (string | null)[] = [];
  const upstream = identifiedUpstream({
    fetch: async (request) => {
      seen.push(request.headers.get(HEADER));
      return new Response(await request.text());
    },
  });
  await upstream.fetch(new Request("http://catalog/"));
  const frozen = new Request("http://catalog/", { method: "POST", body: "the body" });
  frozen.headers.set = () => {
    throw new TypeError("Can't modify immutable headers.");
  };
  const app = new Hono<IdentityEnv>()
    .use(requireIdentity({ service: "orders", verifier }))
    .get("*", () => upstream.fetch(frozen));
  const answer = await app.request("/x", { headers: { [HEADER]: token } });
  expect([seen, await answer.text()]).toEqual([[null, token], "the body"]);
});

test("by hand a token is carried from a request to the next one's headers", () => {
  const to = new Headers();
  carryIdentity(new Request("http://orders/"), to);
  expect(to.has(HEADER)).toBe(false);
  carryIdentity(new Request("http://orders/", { headers: { [HEADER]: token } }), to);
  expect(to.get(HEADER)).toBe(token);
});
