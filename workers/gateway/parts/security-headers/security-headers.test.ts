import { describe, expect, test } from "vitest";
import type { Handler } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { securityHeaders } from "./security-headers.ts";
import { securityHeadersSchema, type WrittenSecurityHeaders } from "./security-headers-schema.ts";

const answerTo = (url: string, settings: WrittenSecurityHeaders = {}, headers: HeadersInit = {}) => {
  const service: Handler = async () => new Response("hello", { headers });
  return answered(securityHeaders(settings)(service), fakeExchange(url));
};

describe("security headers", () => {
  test("stand on an answer that says nothing itself", async () => {
    const { headers } = await answerTo("https://shop.example/");
    expect(Object.fromEntries(headers)).toMatchObject({
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "referrer-policy": "strict-origin-when-cross-origin",
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
      "content-security-policy": "frame-ancestors 'none'",
    });
    expect(headers.has("cross-origin-resource-policy")).toBe(false);
  });

  test("leave the service's word as it is", async () => {
    const own = { "content-security-policy": "default-src 'self'", "referrer-policy": "origin" };
    const { headers } = await answerTo("https://shop.example/", { referrerPolicy: "no-referrer" }, own);
    expect(headers.get("content-security-policy")).toBe("default-src 'self'");
    expect(headers.get("referrer-policy")).toBe("origin");
  });

  test("RFC 6797 §7.2: Strict-Transport-Security is told over https alone", async () => {
    const { headers } = await answerTo("http://shop.example/", { strictTransportSecurity: "max-age=1" });
    expect(headers.has("strict-transport-security")).toBe(false);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("can be set and switched off one by one", async () => {
    const { headers } = await answerTo("https://shop.example/", {
      strictTransportSecurity: "max-age=60; includeSubDomains",
      contentTypeOptions: false,
      contentSecurityPolicy: false,
      crossOriginResourcePolicy: "same-site",
    });
    expect(headers.get("strict-transport-security")).toBe("max-age=60; includeSubDomains");
    expect(headers.has("x-content-type-options")).toBe(false);
    expect(headers.has("content-security-policy")).toBe(false);
    expect(headers.get("cross-origin-resource-policy")).toBe("same-site");
  });

  test("do not touch what is no longer HTTP", async () => {
    const exchange = fakeExchange("https://shop.example/");
    const opened = { status: 101, headers: new Headers() } as Response;
    expect(await securityHeaders({})(async () => opened)(exchange)).toBe(opened);
    expect(exchange.answer).toBeUndefined();
  });

  test("cannot be written in a form that breaks out of a header", () => {
    for (const contentSecurityPolicy of ["a\r\nset-cookie: b=1", "", " a", "ä"])
      expect(securityHeadersSchema.safeParse({ contentSecurityPolicy }).success).toBe(false);
  });
});
