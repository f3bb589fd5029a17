/** draft-ietf-httpapi-ratelimit-headers-11, with RFC 9110, RFC 6585 and RFC 9651 where it builds on them: as clients see the part. */
import { describe, expect, test } from "vitest";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { fakeLocationLimiter, fakeTimer } from "./fake-rate-limits.ts";
import { rateLimit } from "./rate-limit.ts";
import { rateLimitSchema, type WrittenRateLimit } from "./rate-limit-schema.ts";

const given = (settings: WrittenRateLimit, upstream: () => Response = () => new Response("ok")) => {
  const at = { ms: 1_700_000_000_000 };
  const handler = rateLimit(rateLimitSchema.parse(settings), {
    route: "shop",
    clock: () => at.ms,
    timer: fakeTimer().timer,
    locationLimiter: () => fakeLocationLimiter(0),
    exactLimiters: undefined,
  })(async () => upstream());
  const send = () => answered(handler, fakeExchange("/", {}, { clientAddress: "192.0.2.1" }));
  return { at, send };
};

const BOTH = [
  { name: "permin", limit: 50, periodSeconds: 60 },
  { name: "perhr", limit: 1_000, periodSeconds: 3_600 },
];

describe("section 3, RateLimit-Policy", () => {
  test("RateLimit draft-11 §3: RateLimit-Policy is a non-empty List of Items that are Strings, one for each policy", async () => {
    const { send } = given(BOTH);
    expect((await send()).headers.get("ratelimit-policy")).toBe('"permin";q=50;w=60, "perhr";q=1000;w=3600');
  });

  test("RateLimit draft-11 §3: RateLimit-Policy remains the same over a sequence of answers, refusals too", async () => {
    const { send } = given({ limit: 2 });
    const fields = new Set<string | null>();
    for (let request = 0; request < 4; request++) fields.add((await send()).headers.get("ratelimit-policy"));
    expect([...fields]).toEqual(['"client-1s";q=2;w=1']);
  });

  test("RateLimit draft-11 §3.1.1: q is a non-negative Integer", async () => {
    const { send } = given({ limit: 1_000_000 });
    expect((await send()).headers.get("ratelimit-policy")).toContain(";q=1000000;");
    expect(rateLimitSchema.safeParse({ limit: 1.5 }).success).toBe(false);
  });

  test("RateLimit draft-11 §3.1.3: w is a positive Integer of seconds", () => {
    for (const periodSeconds of [0, -1, 0.5]) {
      expect(rateLimitSchema.safeParse({ periodSeconds }).success).toBe(false);
    }
  });

  test("RateLimit draft-11 §3.1: a name that is no String of RFC 9651 is not taken", () => {
    for (const name of ["", "täglich", 'a"b', "a\r\nb"]) {
      expect(rateLimitSchema.safeParse({ name }).success).toBe(false);
    }
  });
});

describe("section 4, RateLimit", () => {
  test("RateLimit draft-11 §4: RateLimit is told of successful answers, and names a policy of RateLimit-Policy", async () => {
    const answer = await given(BOTH).send();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ratelimit")).toBe('"permin";r=49;t=2');
  });

  test("RateLimit draft-11 §4.1.1: r is what may still be sent now, down to 0 and never below", async () => {
    const { send } = given({ limit: 3, periodSeconds: 60 });
    const remaining: (string | undefined)[] = [];
    for (let request = 0; request < 5; request++)
      remaining.push(/;r=(\d+);/.exec((await send()).headers.get("ratelimit") ?? "")?.[1]);
    expect(remaining).toEqual(["2", "1", "0", "0", "0"]);
  });

  test("RateLimit draft-11 §4.1.2: after t seconds there is more than r", async () => {
    const { at, send } = given({ limit: 3, periodSeconds: 60 });
    for (let request = 0; request < 3; request++) await send();
    const seconds = Number(/;t=(\d+)/.exec((await send()).headers.get("ratelimit") ?? "")?.[1]);
    at.ms += seconds * 1_000;
    expect((await send()).status).toBe(200);
  });

  test("RateLimit draft-11 §4.1: where the remainder is not known, r would be a guess: RateLimit is left out", async () => {
    const open = rateLimit(
      { tier: "location", binding: "L", periodSeconds: 10 },
      {
        route: "shop",
        clock: () => 0,
        timer: fakeTimer().timer,
        locationLimiter: () => fakeLocationLimiter(9),
        exactLimiters: undefined,
      },
    )(async () => new Response("ok"));
    const answer = await answered(open, fakeExchange("/"));
    expect(answer.headers.has("ratelimit-policy")).toBe(true);
    expect(answer.headers.has("ratelimit")).toBe(false);
  });
});

describe("section 6, server behaviour", () => {
  test("RateLimit draft-11 §6: the fields do not depend on the status, and a success has no Retry-After", async () => {
    const { send } = given({ limit: 5 }, () => new Response(null, { status: 404 }));
    const answer = await send();
    expect(answer.status).toBe(404);
    expect(answer.headers.get("ratelimit")).toBe('"client-1s";r=4;t=1');
    expect(answer.headers.has("retry-after")).toBe(false);
  });

  test.each([
    { limit: 1, periodSeconds: 60 },
    { limit: 7, periodSeconds: 3 },
    { limit: 100, periodSeconds: 60, burst: 1 },
    { limit: 5, periodSeconds: 10, tier: "location", binding: "L" } as const,
  ])("RateLimit draft-11 §6: of %j Retry-After does not end before t", async (settings) => {
    const { send } = given(settings);
    let answer = await send();
    for (let request = 0; request < 10 && answer.status !== 429; request++) answer = await send();
    expect(answer.status).toBe(429);
    const reset = Number(/;t=(\d+)/.exec(answer.headers.get("ratelimit") ?? "")?.[1]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(reset);
    expect(reset).toBeGreaterThan(0);
  });

  test("RateLimit draft-11 §8.5: r over t is no more than the burst that is admitted at once", async () => {
    const { send } = given({ limit: 10_000, periodSeconds: 1_000, burst: 20 });
    expect((await send()).headers.get("ratelimit")).toBe('"client-1000s";r=19;t=1');
  });
});

describe("section 7.2, intermediaries", () => {
  test("RateLimit draft-11 §7.2: a service's own policies are passed on beside the gateway's", async () => {
    const headers = { "ratelimit-policy": '"own";q=5;w=1', ratelimit: '"own";r=1;t=1' };
    const { send } = given({ limit: 5 }, () => new Response("ok", { headers }));
    const answer = await send();
    expect(answer.headers.get("ratelimit-policy")).toBe('"own";q=5;w=1, "client-1s";q=5;w=1');
    expect(answer.headers.get("ratelimit")).toBe('"own";r=1;t=1, "client-1s";r=4;t=1');
  });
});

describe("the refusal", () => {
  test("RFC 6585 §4: the refusal is 429 with Retry-After in seconds, and not stored", async () => {
    const { send } = given({ limit: 1, periodSeconds: 90 });
    await send();
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("90");
    expect(refused.headers.get("cache-control")).toBe("no-store");
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
  });

  test("RFC 9110 §10.2.3: who comes again after Retry-After is admitted", async () => {
    const { at, send } = given({ limit: 7, periodSeconds: 60 });
    for (let request = 0; request < 7; request++) await send();
    const refused = await send();
    at.ms += Number(refused.headers.get("retry-after")) * 1_000;
    expect((await send()).status).toBe(200);
  });
});
