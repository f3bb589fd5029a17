/** Structured fields (RFC 9651) and links (RFC 8288) that leave the gateway, read by another implementation than wrote them. */
import fc from "fast-check";
import { type Item, parseDictionary, parseItem, parseList, Token } from "structured-headers";
import { describe, expect, test } from "vitest";
import { nextLink } from "#shared/http/page.ts";
import { rateLimitFields, retryAfterField } from "#shared/resilience/rate-limit-headers.ts";
import { answered, fakeExchange } from "./fake-exchange.ts";
import { cacheStatus, type ForwardReason } from "./parts/cache/cache-status.ts";
import { lifecycle } from "./parts/lifecycle/lifecycle.ts";
import { fakeTimer } from "./parts/rate-limit/fake-rate-limits.ts";
import { rateLimit } from "./parts/rate-limit/rate-limit.ts";
import { SECURITY_HEADER_DEFAULTS } from "./parts/security-headers/security-headers.ts";

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const parameters = (member: unknown): Record<string, unknown> => Object.fromEntries((member as Item)[1]);

describe("structured fields", () => {
  test("RFC 9651 §4.1: a reader finds in RateLimit-Policy and RateLimit what was written, whatever the policy is called", () => {
    fc.assert(
      fc.property(printable, fc.nat(), fc.integer({ min: 1, max: 86_400 }), (name, limit, periodSeconds) => {
        const { policy, current } = rateLimitFields({ name, limit, periodSeconds });
        const [one] = parseList(policy);
        expect([(one as Item)[0], parameters(one)]).toEqual([name, { q: limit, w: periodSeconds }]);
        const [left] = parseList(current({ remaining: limit, resetMs: 1_500 }));
        expect([(left as Item)[0], parameters(left)]).toEqual([name, { r: limit, t: 2 }]);
      }),
    );
  });

  test("RFC 9651 §4.2: a reader finds the lists of an answer under two limits to have one member for each", async () => {
    const limits = [
      { name: "a", limit: 5 },
      { name: "b", limit: 50, periodSeconds: 60 },
    ];
    const handler = rateLimit(limits, {
      route: "shop",
      clock: () => 0,
      timer: fakeTimer().timer,
      locationLimiter: () => undefined,
      exactLimiters: undefined,
    })(async () => new Response());
    const { headers } = await answered(handler, fakeExchange("/", {}, { clientAddress: "192.0.2.1" }));
    const names = parseList(headers.get("ratelimit-policy") ?? "").map((member) => member[0]);
    expect(names).toEqual(["a", "b"]);
    for (const member of parseList(headers.get("ratelimit") ?? "")) expect(names).toContain(member[0]);
  });

  test("RFC 9651 §4.2: a reader finds in Cache-Status a token, and parameters of the types that RFC 9211 gives them", () => {
    const reasons: ForwardReason[] = ["uri-miss", "vary-miss", "stale", "request", "method", "bypass"];
    for (const fwd of reasons) {
      const note = { fwd, fwdStatus: 304, ttlSeconds: -7, stored: true, collapsed: true, detail: "busy" };
      const [member] = parseList(cacheStatus(note));
      const { fwd: said, detail, ...rest } = parameters(member);
      expect((member as Item)[0]).toBeInstanceOf(Token);
      expect([`${said}`, `${detail}`]).toEqual([fwd, "busy"]);
      expect(said).toBeInstanceOf(Token);
      expect(rest).toEqual({ "fwd-status": 304, ttl: -7, stored: true, collapsed: true });
    }
    expect(parameters(parseList(cacheStatus({ hit: true, ttlSeconds: 9 }))[0])).toEqual({
      hit: true,
      ttl: 9,
    });
  });

  test("RFC 9651 §3.3.7: a reader finds in Deprecation the moment that was written", async () => {
    const moment = fc.date({ min: new Date("1970-01-01"), max: new Date("9999-01-01"), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(moment, async (date) => {
        const part = lifecycle(
          { deprecated: date.toISOString() },
          { clock: () => 0, entryOf: () => undefined, majorOf: () => undefined },
        );
        const { headers } = await answered(
          part(async () => new Response()),
          fakeExchange("/"),
        );
        const [read] = parseItem(headers.get("deprecation") ?? "");
        expect((read as Date).getTime()).toBe(Math.floor(date.getTime() / 1_000) * 1_000);
      }),
    );
  });

  test("RFC 9651 §4.2: a reader takes Permissions-Policy and Cross-Origin-Opener-Policy as they are by default", () => {
    const { permissionsPolicy, crossOriginOpenerPolicy } = SECURITY_HEADER_DEFAULTS;
    expect([...parseDictionary(permissionsPolicy).keys()]).toEqual(["camera", "geolocation", "microphone"]);
    expect(`${parseItem(crossOriginOpenerPolicy)[0]}`).toBe("same-origin");
  });
});

/** Of links as they are written here: targets in angle brackets, one quoted relation. */
const linksOf = (field: string): [target: string, relation: string][] => {
  const links: [string, string][] = [];
  const whole = field.replace(/\s*<([^<>]*)>\s*;\s*rel="([^"]*)"\s*(?:,|$)/g, (_, target, relation) => {
    links.push([target, relation]);
    return "";
  });
  expect(whole).toBe("");
  return links;
};

describe("links", () => {
  test("RFC 8288 §3: a page's next link has one target, a URI reference that leads to the same host", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (query, cursor) => {
        const url = new URL("https://shop.example/orders/v1/orders");
        url.searchParams.set("q", query);
        const links = linksOf(nextLink(url.href, cursor));
        expect(links.map(([, relation]) => relation)).toEqual(["next"]);
        const target = new URL(links[0]?.[0] ?? "", url);
        expect([target.host, target.searchParams.get("cursor")]).toEqual([
          "shop.example",
          new URLSearchParams({ cursor }).get("cursor"),
        ]);
      }),
    );
  });

  test("RFC 8288 §3.5: links of several relations are members of one list", async () => {
    const written = { deprecated: "2023-01-01", sunset: "2099-01-01", link: "/end", successor: "/shop/v2" };
    const part = lifecycle(written, { clock: () => 0, entryOf: () => undefined, majorOf: () => undefined });
    const { headers } = await answered(
      part(async () => new Response()),
      fakeExchange("/"),
    );
    expect(linksOf(headers.get("link") ?? "")).toEqual([
      ["/end", "deprecation"],
      ["/end", "sunset"],
      ["/shop/v2", "successor-version"],
    ]);
  });
});

test("RFC 9110 §10.2.3: Retry-After is whole seconds, however long the wait is", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e12, noNaN: true }), (waitMs) => {
      expect(retryAfterField(waitMs)).toMatch(/^\d+$/);
      expect(Number(retryAfterField(waitMs)) * 1_000).toBeGreaterThanOrEqual(waitMs);
    }),
  );
});
