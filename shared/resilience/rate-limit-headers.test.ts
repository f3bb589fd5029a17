import { describe, expect, test } from "vitest";
import { rateLimiter } from "./rate-limit.ts";
import { rateLimitFields, retryAfterField } from "./rate-limit-headers.ts";

describe("RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11 section 3)", () => {
  test("names the policy, its quota and its window", () => {
    const { policy } = rateLimitFields({ name: "default", limit: 100, periodSeconds: 60 });
    expect(policy).toBe('"default";q=100;w=60');
  });

  test("RFC 9651 §4.1.1: RateLimit-Policy is a list when several are appended", () => {
    const headers = new Headers();
    for (const [name, limit, periodSeconds] of [
      ["burst", 100, 60],
      ["daily", 1_000, 86_400],
    ] as const) {
      headers.append("RateLimit-Policy", rateLimitFields({ name, limit, periodSeconds }).policy);
    }
    expect(headers.get("ratelimit-policy")).toBe('"burst";q=100;w=60, "daily";q=1000;w=86400');
  });

  test("RFC 9651 §4.1.6: quotes and backslashes of a policy's name are escaped", () => {
    const { policy } = rateLimitFields({ name: 'a "b" \\', limit: 1, periodSeconds: 1 });
    expect(policy).toBe('"a \\"b\\" \\\\";q=1;w=1');
  });

  test.each([
    [
      { name: "tägl", limit: 1, periodSeconds: 1 },
      'Writing "tägl" as a structured field: expected printable ASCII',
    ],
    [{ name: "a\r\nb", limit: 1, periodSeconds: 1 }, "expected printable ASCII"],
    [
      { name: "a", limit: 1.5, periodSeconds: 1 },
      'Writing "1.5" as a structured field: expected a whole number',
    ],
    [{ name: "a", limit: -1, periodSeconds: 1 }, 'Writing "-1"'],
    [{ name: "a", limit: 1e15, periodSeconds: 1 }, 'Writing "1000000000000000"'],
    [{ name: "a", limit: 1, periodSeconds: 0 }, 'its period is "0" s, expected at least 1'],
    [{ name: "a", limit: 1, periodSeconds: 1.5 }, 'Writing "1.5"'],
  ])("%j cannot be written", (named, message) => {
    expect(() => rateLimitFields(named)).toThrow(message);
  });
});

describe("RateLimit (section 4)", () => {
  test("tells what remains, and for how many seconds, rounded up", () => {
    const { current } = rateLimitFields({ name: "default", limit: 100, periodSeconds: 60 });
    expect(current({ remaining: 50, resetMs: 30_000 })).toBe('"default";r=50;t=30');
    expect(current({ remaining: 0, resetMs: 1 })).toBe('"default";r=0;t=1');
    expect(current({ remaining: 0, resetMs: 1_001 })).toBe('"default";r=0;t=2');
  });

  test("Retry-After does not end before its window (section 6)", () => {
    const limiter = rateLimiter({ limit: 10, periodSeconds: 60, keysMax: 2 }, () => 0);
    limiter.take("k", 9);
    const refusal = limiter.take("k", 4);
    const { current } = rateLimitFields({ name: "d", limit: 10, periodSeconds: 60 });
    expect(current(refusal)).toBe('"d";r=1;t=6');
    expect(retryAfterField(refusal.retryAfterMs)).toBe("18");
  });
});

test.each([
  [0, "0"],
  [1, "1"],
  [1_000, "1"],
  [1_001, "2"],
  [-5_000, "0"],
  [Number.POSITIVE_INFINITY, undefined],
])("RFC 9110 §10.2.3: Retry-After after %d ms is %s", (ms, field) => {
  expect(retryAfterField(ms)).toBe(field);
});
