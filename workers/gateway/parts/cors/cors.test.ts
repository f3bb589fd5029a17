import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Handler } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { allowedOrigins } from "./allowed-origins.ts";
import { cors } from "./cors.ts";
import { corsSchema, type WrittenCors } from "./cors-schema.ts";

const SHOP = "https://shop.example";
const OPEN_TO_SHOP: WrittenCors = { origins: [SHOP, "https://*.shop.example"] };

const stand = (settings: WrittenCors, own: HeadersInit = {}) => {
  const asked: string[] = [];
  const service: Handler = async ({ request }) => {
    asked.push(request.method);
    return new Response("hello", { headers: own });
  };
  const send = (method: string, headers: Record<string, string> = {}) =>
    answered(cors(settings)(service), fakeExchange("/shop", { method, headers }));
  const preflight = (origin: string, wanted: Record<string, string> = {}) =>
    send("OPTIONS", { origin, "access-control-request-method": "PUT", ...wanted });
  return { asked, send, preflight };
};

const corsHeaders = (answer: Response) =>
  [...answer.headers.keys()].filter((name) => name.startsWith("access-"));

describe('a CORS request (Fetch, "HTTP requests")', () => {
  test("Fetch §HTTP responses: what an allowed origin asks for may be read by that origin", async () => {
    const { headers } = await stand(OPEN_TO_SHOP).send("GET", { origin: SHOP });
    expect(headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(headers.get("access-control-expose-headers")).toContain("skerry-position");
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("Fetch §CORS check: a request of another origin goes on and gets no CORS headers, so that its page cannot read", async () => {
    const { send, asked } = stand(OPEN_TO_SHOP);
    const answer = await send("POST", { origin: "https://evil.example" });
    expect(asked).toEqual(["POST"]);
    expect(answer.status).toBe(200);
    expect(corsHeaders(answer)).toEqual([]);
  });

  test("Fetch §CORS protocol and HTTP caches: Vary tells of Origin also where the answer has no CORS headers", async () => {
    const { send } = stand(OPEN_TO_SHOP, { vary: "Accept" });
    expect((await send("GET")).headers.get("vary")).toBe("Accept, origin");
    expect((await send("GET", { origin: SHOP })).headers.get("vary")).toBe("Accept, origin");
    expect((await send("GET", { origin: "https://evil.example" })).headers.get("vary")).toBe(
      "Accept, origin",
    );
  });

  test("does not repeat what the answer says itself in Vary", async () => {
    expect((await stand(OPEN_TO_SHOP, { vary: "Origin" }).send("GET")).headers.get("vary")).toBe("Origin");
    expect((await stand(OPEN_TO_SHOP, { vary: "*" }).send("GET")).headers.get("vary")).toBe("*");
  });

  test("Fetch §CORS protocol and HTTP caches: where everybody is allowed there is one answer for all, and Vary says nothing", async () => {
    const { send } = stand({ origins: "*" });
    for (const answer of [await send("GET"), await send("GET", { origin: SHOP })]) {
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.has("vary")).toBe(false);
    }
  });

  test("Fetch §HTTP responses: an answer with credentials names the origin and says so", async () => {
    const { headers } = await stand({ ...OPEN_TO_SHOP, credentials: true }).send("GET", { origin: SHOP });
    expect(headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });

  test('of anybody never comes with credentials, however "*" and they came together', async () => {
    const { headers } = await stand({ origins: "*", credentials: true }).send("GET", { origin: SHOP });
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("is not opened by the service's own headers", async () => {
    const own = { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" };
    const { send } = stand(OPEN_TO_SHOP, own);
    expect(corsHeaders(await send("GET", { origin: "https://evil.example" }))).toEqual([]);
    const { headers } = await send("GET", { origin: SHOP });
    expect(headers.get("access-control-allow-origin")).toBe(SHOP);
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });
});

describe('a CORS-preflight request (Fetch, "HTTP requests")', () => {
  test("Fetch §CORS-preflight fetch: a preflight is answered with an ok status and without the service", async () => {
    const { preflight, asked } = stand({
      ...OPEN_TO_SHOP,
      methods: ["PUT"],
      headers: ["x-a", "x-b"],
      maxAgeSeconds: 60,
    });
    const answer = await preflight(SHOP);
    expect(answer.status).toBe(204);
    expect(asked).toEqual([]);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "access-control-allow-origin": SHOP,
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-a, x-b",
      "access-control-max-age": "60",
      vary: "origin, access-control-request-method, access-control-request-headers",
      "x-request-id": "request-1",
    });
  });

  test("Fetch §HTTP responses: a preflight of another origin is answered 403 without CORS headers", async () => {
    const { preflight, asked } = stand(OPEN_TO_SHOP);
    const answer = await preflight("https://evil.example");
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ type: "/problems/origin_not_allowed" });
    expect(corsHeaders(answer)).toEqual([]);
    expect(answer.headers.get("vary")).toContain("origin");
    expect(asked).toEqual([]);
  });

  test("with credentials says so", async () => {
    const { headers } = await stand({ ...OPEN_TO_SHOP, credentials: true }).preflight(SHOP);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
  });

  test("Fetch §CORS-preflight fetch: a preflight is told what is allowed, whatever it asks for: the browser compares", async () => {
    const wanted = {
      "access-control-request-method": "DELETE",
      "access-control-request-headers": "x-secret",
    };
    const { headers } = await stand({ ...OPEN_TO_SHOP, methods: ["PUT"], headers: ["x-a"] }).preflight(
      SHOP,
      wanted,
    );
    expect(headers.get("access-control-allow-methods")).toBe("PUT");
    expect(headers.get("access-control-allow-headers")).toBe("x-a");
  });

  test("Fetch §HTTP requests: a preflight has both an origin and a method to ask for: another OPTIONS is the service's", async () => {
    const { send, asked } = stand(OPEN_TO_SHOP);
    await send("OPTIONS");
    const answer = await send("OPTIONS", { origin: SHOP });
    await send("OPTIONS", { "access-control-request-method": "PUT" });
    expect(asked).toEqual(["OPTIONS", "OPTIONS", "OPTIONS"]);
    expect(answer.headers.get("vary")).toBe(
      "origin, access-control-request-method, access-control-request-headers",
    );
  });
});

describe("an allowed origin", () => {
  test.each([
    [SHOP, true],
    ["https://a.shop.example", true],
    ["https://a.b.shop.example", true],
    ["http://shop.example", false],
    ["http://a.shop.example", false],
    ["https://shop.example:8443", false],
    ["https://a.shop.example:8443", false],
    ["https://ashop.example", false],
    ["https://.shop.example", false],
    ["https://a..shop.example", false],
    ["https://evil.example/.shop.example", false],
    ["https://evil.example?.shop.example", false],
    ["https://evil.example#.shop.example", false],
    ["https://evil@a.shop.example", false],
    ["https://A.shop.example", false],
    ["https://a.shop.example.evil.example", false],
    ["https://a.shop.example, https://evil.example", false],
    ["null", false],
    ["", false],
    ["https://*.shop.example", false],
    [`https://${"a.".repeat(50_000)}shop.example`, false],
  ])("is by the list: %s is %j", (origin, expected) => {
    const allowed = allowedOrigins(OPEN_TO_SHOP.origins ?? []);
    expect(allowed !== "*" && allowed(origin)).toBe(expected);
  });

  test("by a pattern is always a URL's origin below that host", () => {
    const allowed = allowedOrigins(["https://*.shop.example"]);
    const middle = fc.string({
      unit: fc.constantFrom("a", ".", "-", "/", "@", ":", "?", "#", "%", "\\", "1"),
    });
    fc.assert(
      fc.property(middle, (text) => {
        const origin = `https://${text}.shop.example`;
        if (allowed === "*" || !allowed(origin)) return;
        expect(new URL(origin).hostname.endsWith(".shop.example")).toBe(true);
        expect(new URL(origin).origin).toBe(origin);
      }),
    );
  });
});

describe("what is written for CORS", () => {
  test('Fetch §CORS protocol and credentials: no configuration joins credentials and "*"', () => {
    const taken = (written: unknown) => corsSchema.safeParse(written).success;
    expect(taken({ origins: "*", credentials: true })).toBe(false);
    expect(taken({ origins: [SHOP], credentials: true, headers: "*" })).toBe(false);
    expect(taken({ origins: [SHOP], credentials: true, exposeHeaders: "*" })).toBe(false);
    expect(taken({ origins: "*", headers: "*", credentials: false })).toBe(true);
    expect(taken({ origins: [SHOP], credentials: true })).toBe(true);
  });

  test.each([
    "null",
    "https://shop.example/",
    "https://Shop.example",
    "shop.example",
    "https://shop.example:443",
    "https://*",
    "https://a.*.example",
    "https://*shop.example",
    "*",
    "ftp://shop.example",
  ])("has no origin %j, which no browser writes", (origin) => {
    expect(corsSchema.safeParse({ origins: [origin] }).success).toBe(false);
  });

  test("opens nothing when it names no origins", async () => {
    expect(corsHeaders(await stand({}).send("GET", { origin: SHOP }))).toEqual([]);
  });
});
