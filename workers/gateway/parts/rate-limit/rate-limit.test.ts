import { afterEach, describe, expect, test, vi } from "vitest";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import type { Exchange } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { fakeActors, fakeLocationLimiter, fakeTimer } from "./fake-rate-limits.ts";
import { type RateLimitOptions, rateLimit } from "./rate-limit.ts";
import type { WrittenRateLimit } from "./rate-limit-schema.ts";

const spans = recordSpans();

const given = (settings: WrittenRateLimit, more: Partial<RateLimitOptions> = {}) => {
  const at = { ms: 1_700_000_000_000 };
  const clock = () => at.ms;
  const time = fakeTimer();
  const upstream = vi.fn(async () => new Response("ok"));
  const part = rateLimit(settings, {
    route: "shop",
    clock,
    timer: time.timer,
    locationLimiter: () => undefined,
    exactLimiters: undefined,
    ...more,
  });
  const handler = part(upstream);
  const send = (exchange: Partial<Exchange> = { clientAddress: "192.0.2.1" }, init: RequestInit = {}) =>
    answered(handler, fakeExchange("/", init, exchange));
  return { at, clock, time, part, upstream, send };
};

const statusesOf = async (send: () => Promise<Response>, times: number) => {
  const statuses: number[] = [];
  for (let time = 0; time < times; time++) statuses.push((await send()).status);
  return statuses;
};

afterEach(() => vi.restoreAllMocks());

describe("in each isolate", () => {
  test("what is over the limit is refused and goes nowhere", async () => {
    const { upstream, send } = given({ limit: 2 });
    expect(await statusesOf(send, 3)).toEqual([200, 200, 429]);
    expect(upstream).toHaveBeenCalledTimes(2);
  });

  test("a refusal is a problem that names the limit", async () => {
    const { send } = given({ limit: 1, periodSeconds: 60, by: { header: "X-Tenant" }, name: "tenants" });
    await send({}, { headers: { "x-tenant": "a" } });
    const refused = await send({}, { headers: { "x-tenant": "a" } });
    expect(await refused.json()).toMatchObject({
      type: "/problems/rate_limited",
      status: 429,
      detail: 'Counting requests by "x-tenant" for the limit "tenants": expected at most 1 in 60 s.',
    });
    expect(refused.headers.get("x-request-id")).toBe("request-1");
  });

  test("what was spent is remembered when the chain is made anew around the same part", async () => {
    const { part, send } = given({ limit: 1 });
    await send();
    const again = part(async () => new Response("ok"));
    const refused = await answered(again, fakeExchange("/", {}, { clientAddress: "192.0.2.1" }));
    expect(refused.status).toBe(429);
  });
});

const as = (subject: string, tenant?: string): Partial<Exchange> => ({
  clientAddress: "192.0.2.1",
  caller: { subject, scopes: [], by: "api_key", ...(tenant !== undefined && { tenant }) },
});
const from = (clientAddress: string): Partial<Exchange> => ({ clientAddress });
const withHeader = (name: string, value: string) => ({ headers: { [name]: value } });

describe("whose requests are counted together", () => {
  const together = async (
    by: NonNullable<Exclude<WrittenRateLimit, readonly unknown[]>["by"]>,
    one: [Partial<Exchange>, RequestInit?],
    other: [Partial<Exchange>, RequestInit?],
  ) => {
    const { send } = given({ limit: 1, by });
    await send(...one);
    return (await send(...other)).status === 429;
  };

  test.each([
    ["client", [from("192.0.2.1")], [from("192.0.2.1")], true],
    ["client", [from("192.0.2.1")], [from("192.0.2.2")], false],
    ["client", [from("2001:db8:1:2::1")], [from("2001:db8:1:2:f::9")], true],
    ["client", [from("2001:db8:1:2::1")], [from("2001:db8:1:3::1")], false],
    ["client", [{}], [{}], true],
    ["route", [from("192.0.2.1")], [as("ann")], true],
    ["caller", [as("ann")], [{ ...as("ann"), clientAddress: "192.0.2.2" }], true],
    ["caller", [as("ann")], [as("bob")], false],
    ["caller", [as("ann", "acme")], [as("ann", "rival")], false],
    ["caller", [as("acme/ann")], [as("ann", "acme")], false],
    ["tenant", [as("ann", "acme")], [as("bob", "acme")], true],
    ["tenant", [as("ann", "acme")], [as("ann", "rival")], false],
    ["tenant", [as("ann")], [as("bob")], true],
    ["caller", [from("192.0.2.1")], [from("192.0.2.1")], true],
    ["caller", [from("192.0.2.1")], [from("192.0.2.2")], false],
    ["caller", [from("192.0.2.1")], [as("@192.0.2.1")], false],
    [{ header: "x-tenant" }, [{}, withHeader("x-tenant", "a")], [{}, withHeader("X-Tenant", "a")], true],
    [{ header: "x-tenant" }, [{}, withHeader("x-tenant", "a")], [{}, withHeader("x-tenant", "b")], false],
    [{ header: "x-tenant" }, [from("192.0.2.1")], [from("192.0.2.2")], false],
    [{ cookie: "id" }, [{}, withHeader("cookie", "a=1; id=2")], [{}, withHeader("cookie", "id=2")], true],
    [{ cookie: "id" }, [{}, withHeader("cookie", "id=1")], [{}, withHeader("cookie", "id=2")], false],
  ] as const)("by %j: %j and %j: %j", async (by, one, other, expected) => {
    expect(await together(by, [...one], [...other])).toBe(expected);
  });
});

describe("several limits", () => {
  const limits = [
    { limit: 2, periodSeconds: 1 },
    { limit: 3, periodSeconds: 3_600 },
  ];

  test("must all allow, and a refusal spends nothing of any", async () => {
    const { at, send } = given(limits);
    expect(await statusesOf(send, 5)).toEqual([200, 200, 429, 429, 429]);
    at.ms += 1_000;
    expect(await statusesOf(send, 2)).toEqual([200, 429]);
  });

  test("the tightest is told", async () => {
    const { at, send } = given(limits);
    expect((await send()).headers.get("ratelimit")).toBe('"client-1s";r=1;t=1');
    at.ms += 1_000;
    await send();
    at.ms += 1_000;
    expect((await send()).headers.get("ratelimit")).toBe('"client-3600s";r=0;t=1198');
  });

  test("have names of their own though they count alike", async () => {
    const { send } = given([{ limit: 2 }, { limit: 3 }]);
    expect((await send()).headers.get("ratelimit-policy")).toBe('"client-1s";q=2;w=1, "client-1s-2";q=3;w=1');
  });

  test("what the isolate refuses asks nobody else", async () => {
    const at = { ms: 0 };
    const actors = fakeActors(() => at.ms);
    const { send } = given([{ limit: 5, tier: "exact" }, { limit: 1 }], { exactLimiters: actors });
    expect(await statusesOf(send, 3)).toEqual([200, 429, 429]);
    expect(actors.calls).toHaveLength(1);
  });
});

describe("in each location", () => {
  const settings = { limit: 2, periodSeconds: 60, tier: "location", binding: "LIMITER" } as const;

  test("the platform's word counts, and what remains is not told", async () => {
    const counter = fakeLocationLimiter(2);
    const { send } = given(settings, {
      locationLimiter: (name) => (name === "LIMITER" ? counter : undefined),
    });
    const answer = await send();
    expect(answer.headers.get("ratelimit-policy")).toBe('"client-60s";q=2;w=60');
    expect(answer.headers.has("ratelimit")).toBe(false);
    await send();
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(counter.keys).toEqual(Array(3).fill("shop/client-60s/192.0.2.1"));
  });

  test("without the binding each isolate counts, and log and trace say so", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { send } = given(settings);
    expect(warn.mock.calls).toEqual([[expect.stringContaining('the rate limiting binding "LIMITER"')]]);
    const statuses = await inSpan("request", {}, () => statusesOf(send, 3));
    expect(statuses).toEqual([200, 200, 429]);
    const [event] = spans.take().at(-1)?.events ?? [];
    expect(event?.name).toBe("skerry.rate_limit.fallback");
    expect(event?.attributes).toMatchObject({
      "skerry.rate_limit.tier": "location",
      "skerry.rate_limit.reason": "absent",
    });
  });

  test("a binding that fails is no reason to refuse", async () => {
    const limit = () => {
      throw new Error("away");
    };
    const { send } = given(settings, { locationLimiter: () => ({ limit }) });
    expect(await statusesOf(send, 3)).toEqual([200, 200, 429]);
  });
});

describe("when no Actor answers", () => {
  const settings = { limit: 3, periodSeconds: 60, tier: "exact" } as const;

  test("each isolate goes by its own count, which knows what the Actor admitted", async () => {
    const actors = fakeActors(() => 0);
    const { send } = given(settings, { exactLimiters: actors });
    await send();
    actors.state = "away";
    expect(await statusesOf(send, 3)).toEqual([200, 200, 429]);
  });

  test("a request waits only so long, and those of the next second not at all", async () => {
    const actors = fakeActors(() => 0);
    const { at, time, send } = given(settings, { exactLimiters: actors });
    actors.state = "silent";
    const waiting = send();
    expect(time.waiting()).toBe(1);
    time.end();
    expect((await waiting).status).toBe(200);
    expect((await send()).status).toBe(200);
    expect(actors.calls).toHaveLength(1);
    actors.state = "there";
    at.ms += 1_000;
    await send();
    expect(actors.calls).toHaveLength(2);
  });

  test("the trace says so", async () => {
    const actors = fakeActors(() => 0);
    actors.state = "away";
    const { send } = given(settings, { exactLimiters: actors });
    spans.take();
    await inSpan("request", {}, async () => {
      await send();
      await send();
    });
    const events = spans.take().at(-1)?.events ?? [];
    expect(events.map(({ attributes }) => attributes?.["skerry.rate_limit.reason"])).toEqual([
      "no_answer",
      "paused",
    ]);
  });
});
