import { createRoute } from "@hono/zod-openapi";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { noteArm } from "../config/arm-note.ts";
import type { Config } from "../config/config.ts";
import type { Caller } from "../identity/caller.ts";
import type { IdentityVerifier } from "../identity/identity-verifier.ts";
import { err, ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "./route-parts.ts";
import { moneySchema, skuSchema } from "./schemas.ts";
import { createServiceApp } from "./service-app.ts";

recordSpans();

const PROBLEMS = { sold_out: { status: 409, title: "Nothing is left", retryable: false } } as const;

const thingSchema = z.strictObject({ name: z.string().min(1), price: moneySchema });

const OPTIONS = { name: "things", major: 1, description: "Things", problems: PROBLEMS, readiness: [] };

const service = (readiness: Parameters<typeof createServiceApp>[0]["readiness"] = []) => {
  const app = createServiceApp({ ...OPTIONS, readiness });
  app.openapi(
    createRoute({
      method: "put",
      path: "/things/{sku}",
      request: { params: z.strictObject({ sku: skuSchema }), body: jsonBody(thingSchema) },
      responses: { 200: jsonAnswer(thingSchema, "The thing"), ...problemAnswers(PROBLEMS, "sold_out") },
    }),
    async (c) => {
      const thing = c.req.valid("json");
      if (thing.name === "gone") return c.var.problem({ code: "sold_out", detail: "No." });
      if (thing.name === "boom") throw new Error("secret inside");
      if (thing.name === "odd") return c.var.problem({ code: "never_registered", detail: "secret inside" });
      if (thing.name === "away") throw new ActorUnavailable("secret inside");
      if (thing.name === "busy") return c.var.problem({ code: "unavailable", detail: "Later." });
      return c.json(thing, 200);
    },
  );
  return app;
};

const price = { amount: 1, currency: "EUR" };
const put = (
  body: BodyInit | null,
  headers: Record<string, string> = { "content-type": "application/json" },
) =>
  service().request("/things/v1/things/a", { method: "PUT", body, headers, duplex: "half" } as RequestInit);
const json = (body: unknown) => put(JSON.stringify(body));
const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as Record<string, unknown>;
};

describe("a service app", () => {
  test("answers a valid request through its route", async () => {
    const response = await json({ name: "tea", price });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ name: "tea", price });
  });

  test("turns a failure into the problem that its table describes", async () => {
    const response = await json({ name: "gone", price });
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toEqual({
      type: "/problems/sold_out",
      title: "Nothing is left",
      status: 409,
      detail: "No.",
      instance: "/things/v1/things/a",
    });
    expect(response.headers.has("retry-after")).toBe(false);
  });

  test("tells when to come back where the same request may succeed later", async () => {
    const response = await json({ name: "busy", price });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
  });

  test("tells when to come back where an Actor cannot be reached, and nothing of the inside", async () => {
    const response = await json({ name: "away", price });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(JSON.stringify(await problemOf(response))).not.toContain("secret");
  });

  test.each(["boom", "odd"])("tells nothing of the inside when a handler fails (%s)", async (name) => {
    const response = await json({ name, price });
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain("secret");
  });

  test.each([
    ["an unknown field", { name: "a", price, extra: 1 }, "extra"],
    ["an unknown field inside", { name: "a", price: { ...price, tax: 1 } }, "price.tax"],
    ["a missing field", { price }, "name"],
    ["a wrong type", { name: 1, price }, "name"],
    ["a fraction of a minor unit", { name: "a", price: { amount: 1.5, currency: "EUR" } }, "price.amount"],
    [
      "an amount beyond safe integers",
      { name: "a", price: { amount: 2 ** 60, currency: "EUR" } },
      "price.amount",
    ],
    ["a currency that is none", { name: "a", price: { amount: 1, currency: "EUX" } }, "price.currency"],
    ["an array", [], ""],
    ["null", null, ""],
  ])("refuses %s with 422 and its path", async (_, body, path) => {
    const response = await json(body);
    expect(response.status).toBe(422);
    const problem = await problemOf(response);
    expect(problem.type).toBe("/problems/invalid_body");
    expect(problem.errors).toContainEqual({ path, message: expect.any(String) });
  });

  test("refuses a __proto__ key as the unknown field that it is", async () => {
    const response = await put(
      '{"__proto__": {"admin": true}, "name": "a", "price": {"amount":1,"currency":"EUR"}}',
    );
    expect(response.status).toBe(422);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([
    ["cut off", '{"name":'],
    ["empty", ""],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["a byte order mark", "\ufeff{}"],
    ["a depth bomb", "[".repeat(100_000)],
    ["a balanced depth bomb", "[".repeat(100_000) + "]".repeat(100_000)],
  ])("refuses a body that is %s with 400", async (_, body) => {
    const response = await put(body);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).type).toBe("/problems/invalid_json");
  });

  test.each([
    ["NUL", String.raw`{"name":"a\u0000b"}`],
    ["half a surrogate pair", String.raw`{"name":"\uD83D"}`],
    ["half a surrogate pair in a key", String.raw`{"\ude00":"a"}`],
  ])("refuses text that no store keeps unchanged: %s", async (_, body) => {
    const response = await put(body);
    expect(response.status).toBe(422);
    expect((await problemOf(response)).type).toBe("/problems/invalid_body");
  });

  test("takes escapes of whole characters", async () => {
    const response = await put(
      String.raw`{"name":"\uD83D\uDE00 \\u0000","price":{"amount":1,"currency":"EUR"}}`,
    );
    expect(response.status).toBe(200);
  });

  test.each(["text/plain", "application/jsonp", "application/json; charset=latin1", ""])(
    "refuses a body of media type %j with 415",
    async (type) => {
      const response = await put("{}", { "content-type": type });
      expect(response.status).toBe(415);
      expect((await problemOf(response)).type).toBe("/problems/unsupported_media_type");
    },
  );

  test("refuses a body whose media type is missing with 415", async () => {
    const response = await put(new TextEncoder().encode("{}"), {});
    expect(response.status).toBe(415);
  });

  test("takes a request without any body as one that lacks its fields", async () => {
    const response = await put(null, {});
    expect(response.status).toBe(422);
  });

  test("refuses a body over the bound with 413, from its declared length alone", async () => {
    const response = await put("{}", { "content-type": "application/json", "content-length": "262145" });
    expect(response.status).toBe(413);
  });

  test("refuses a chunked body over the bound with 413 and stops reading it", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      },
    });
    const response = await put(endless as BodyInit);
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(10);
  });

  test("reads a chunked body within the bound", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ name: "tea", price }));
    const chunks = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(bytes.slice(0, 7));
        controller.enqueue(bytes.slice(7));
        controller.close();
      },
    });
    expect((await put(chunks as BodyInit)).status).toBe(200);
  });

  test.each(["a.b", "a%20b", "%2A", "%3E", "a%2Fb", "%00", "x".repeat(10_000), "%ff"])(
    "refuses the id %s with 400 or 404",
    async (id) => {
      const response = await service().request(`/things/v1/things/${id}`, {
        method: "PUT",
        body: JSON.stringify({ name: "a", price }),
        headers: { "content-type": "application/json" },
      });
      expect(response.status).toBe(400);
      const problem = await problemOf(response);
      expect(problem.type).toBe("/problems/invalid_parameter");
      expect(JSON.stringify(problem.errors).length).toBeLessThan(1_000);
    },
  );

  test("answers 404 with a problem where nothing is", async () => {
    for (const path of ["/", "/things/v1", "/things/v2/things/a", "/things/v1/nothing"]) {
      const response = await service().request(path, { method: "POST", body: "x" });
      expect(response.status).toBe(404);
      expect((await problemOf(response)).type).toBe("/problems/not_found");
    }
  });

  test("RFC 9110 §15.5.6: a service answers 405 and names the methods where the address exists with others", async () => {
    const response = await service().request("/things/v1/things/a", { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("PUT");
    const health = await service().request("/healthz", { method: "POST", body: "x" });
    expect(health.headers.get("allow")).toBe("GET, HEAD");
  });

  test("describes itself as an OpenAPI document with whole paths", async () => {
    const response = await service().request("/things/v1/openapi.json");
    const document = (await response.json()) as {
      openapi: string;
      paths: Record<string, { put: { responses: object } }>;
    };
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual(["/things/v1/things/{sku}"]);
    expect(Object.keys(document.paths["/things/v1/things/{sku}"]?.put.responses ?? {})).toEqual([
      "200",
      "409",
      "default",
    ]);
  });

  test("says under which roll-out an answer was made, refusals included, and nothing while there is none", async () => {
    let rollout: ReturnType<Config<unknown>["rollout"]>;
    const app = createServiceApp({ ...OPTIONS, config: { rollout: () => rollout } });
    app.get("/keyed", (c) => {
      noteArm("r-1", "candidate");
      return c.text("made by the candidate");
    });
    const told = async (path: string) => (await app.request(path)).headers.get("skerry-config");
    expect(await told("/things/v1/keyed")).toBeNull();
    rollout = { id: "r-1" };
    expect(await told("/things/v1/keyed")).toBe("r-1; arm=candidate");
    expect(await told("/things/v1/nowhere")).toBeNull();
    rollout = { id: "r-2", isolatesArm: "stable" };
    expect(await told("/things/v1/nowhere")).toBe("r-2; arm=stable");
  });

  test("lets in who comes with the gateway's word, and refuses others before any arm or route has a part in it", async () => {
    const caller: Caller = { subject: "alice", scopes: [], by: "jwt" };
    const refused = err({ code: "identity_not_valid", detail: "No." } as const);
    const verifier: IdentityVerifier = { verify: (token) => (token === "right" ? ok(caller) : refused) };
    const config = { rollout: () => ({ id: "r", isolatesArm: "stable" }) as const };
    const app = createServiceApp({ ...OPTIONS, config, identity: { verifier } });
    app.get("/me", (c) => c.json(c.var.caller));
    const asked = (token: string) =>
      app.request("/things/v1/me", { headers: { "skerry-internal-identity": token, "x-request-id": "r1" } });
    expect(await (await asked("right")).json()).toEqual(caller);
    const answer = await asked("wrong");
    expect([answer.status, answer.headers.get("skerry-config")]).toEqual([401, null]);
    expect(answer.headers.get("x-request-id")).toBe("r1");
    expect((await app.request("/things/v1/nowhere")).status).toBe(401);
    for (const path of ["/healthz", "/readyz", "/things/v1/openapi.json"])
      expect((await app.request(path)).status).toBe(200);
  });

  test("is healthy without asking anyone", async () => {
    const failing = { name: "log", check: () => Promise.reject(new Error("down")) };
    expect((await service([failing]).request("/healthz")).status).toBe(200);
  });

  test("is ready when every check passes", async () => {
    const response = await service([{ name: "rows", check: async () => ok(1) }]).request("/readyz");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      service: "things",
      ready: true,
      checks: [{ name: "rows", ready: true }],
    });
  });

  test("is not ready when one check refuses or throws, and names it", async () => {
    const response = await service([
      { name: "rows", check: async () => ok(1) },
      { name: "log", check: async () => err({ detail: "no connection" }) },
      { name: "actor", check: () => Promise.reject(new Error("gone")) },
    ]).request("/readyz");
    expect(response.status).toBe(503);
    expect(((await response.json()) as { checks: object }).checks).toEqual([
      { name: "rows", ready: true },
      { name: "log", ready: false, detail: "no connection" },
      { name: "actor", ready: false, detail: "gone" },
    ]);
  });
});
