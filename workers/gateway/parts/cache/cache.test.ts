import { describe, expect, test } from "vitest";
import { SESSION_FIELD, SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Exchange, HeaderEdit } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { BEGIN, cacheInVirtualTime, read, says, turn } from "./cache-in-virtual-time.ts";
import { cacheSchema, type WrittenCache } from "./cache-schema.ts";
import { CACHE_DEFAULTS } from "./cache-settings.ts";
import { httpDate } from "./http-date.ts";
import type { AnswerCache } from "./second-tier.ts";

const FRESH = { "cache-control": "max-age=60" };

/** Answers that a test gives by hand, in the order in which they were asked for. */
const byHand = () => {
  const waiting: ((answer: Response) => void)[] = [];
  return {
    service: () => new Promise<Response>((resolve) => void waiting.push(resolve)),
    asked: () => waiting.length,
    answer: (index: number, answer: Response) => waiting[index]?.(answer),
  };
};

/** As the platform's, in memory; `seen` are its calls. */
const location = () => {
  const kept = new Map<string, Response>();
  const seen: string[] = [];
  const fake: AnswerCache = {
    async match(request) {
      seen.push("match");
      return kept.get(request.url)?.clone();
    },
    async put(request, response) {
      seen.push("put");
      kept.set(request.url, response);
    },
    async delete(request) {
      seen.push("delete");
      return kept.delete(request.url);
    },
  };
  return { fake, seen };
};

const echo = (field: string) => (request: Request) =>
  says(`${request.headers.get("cookie") ?? request.headers.get("authorization") ?? "nobody"}`, {
    "cache-control": field,
  });

describe("personal requests", () => {
  test("what the gateway's caller was told is given to nobody, unless it says that others may have it", async () => {
    const caller = { subject: "ann", scopes: [], by: "api_key" } as const;
    for (const [field, asks] of [
      ["max-age=60", 3],
      ["public, max-age=60", 1],
    ] as const) {
      const world = cacheInVirtualTime({}, echo(field));
      await world.get("/a", {}, {}, { caller });
      await world.get("/a", {}, {}, { caller: { ...caller, subject: "bob" } });
      await world.get("/a");
      expect(world.asked).toHaveLength(asks);
    }
  });

  test("a request with cookies shares only what says public", async () => {
    for (const [field, bodies] of [
      ["max-age=60", ["a=1", "a=2", "nobody", "a=3"]],
      ["s-maxage=60", ["a=1", "a=2", "nobody", "a=3"]],
      ["public, max-age=60", ["a=1", "a=1", "a=1", "a=1"]],
    ] as const) {
      const world = cacheInVirtualTime({}, echo(field));
      const seen = [];
      for (const cookie of ["a=1", "a=2", undefined, "a=3"])
        seen.push((await world.get("/a", cookie ? { cookie } : {})).body);
      expect(seen).toEqual(bodies);
    }
  });

  test("where cookies mean nothing they are shared, but not those of a session", async () => {
    const world = cacheInVirtualTime({ cookies: "ignore", ttlSeconds: 60 }, () => says("a"));
    await world.get("/a", { cookie: "a=1" });
    expect((await world.get("/a", { cookie: "a=2" })).cache).toContain("hit");
    const caller = { subject: "ann", scopes: [], by: "session" } as const;
    expect((await world.get("/a", { cookie: "a=2" }, {}, { caller })).cache).toContain("fwd=request");
  });

  test("an answer in a session that names nobody is one client's all the same, and so is one that begins a session", async () => {
    const world = cacheInVirtualTime({ cookies: "ignore", ttlSeconds: 60 }, () => says("a"));
    const onward: HeaderEdit[] = [{ kind: "set", name: SESSION_FIELD, value: "e30" }];
    await world.get("/a", { cookie: "s=1" }, {}, { onward });
    await world.get("/a", { cookie: "s=2" }, {}, { onward });
    expect(world.asked).toHaveLength(2);
    const begins = cacheInVirtualTime({ ttlSeconds: 60 }, () => says("a", { [SET_SESSION_FIELD]: "e30" }));
    await begins.get("/a");
    await begins.get("/a");
    expect(begins.asked).toHaveLength(2);
  });

  test("an answer that sets a cookie is not kept, or without it where the settings say so", async () => {
    const own = { ...FRESH, "set-cookie": "session=secret" };
    const skipping = cacheInVirtualTime({}, () => says("a", own));
    await skipping.get("/a");
    expect([skipping.part.bytes(), (await skipping.get("/a")).headers.get("set-cookie")]).toEqual([
      0,
      "session=secret",
    ]);
    const stripping = cacheInVirtualTime({ setCookie: "strip" }, () => says("a", own));
    await stripping.get("/a");
    const second = await stripping.get("/a");
    expect([second.cache, second.headers.get("set-cookie")]).toEqual(["skerry; hit; ttl=60", null]);
  });

  test("an answer that varies by a secret header is kept only for requests without it", async () => {
    const world = cacheInVirtualTime({ cookies: "ignore" }, (request) =>
      says(request.headers.get("cookie") ?? "none", {
        "cache-control": "public, max-age=60",
        vary: "cookie",
      }),
    );
    const seen = [];
    for (const cookie of ["a=1", undefined, "a=2", undefined])
      seen.push((await world.get("/a", cookie ? { cookie } : {})).body);
    expect([seen, world.asked.length]).toEqual([["a=1", "none", "a=2", "none"], 3]);
  });

  test("what another part tells the service counts for Vary", async () => {
    const world = cacheInVirtualTime({}, (request) =>
      says(request.headers.get("x-tenant"), { ...FRESH, vary: "x-tenant" }),
    );
    const of = (value: string) =>
      world.get("/a", {}, {}, { onward: [{ kind: "set", name: "x-tenant", value }] });
    expect([(await of("one")).body, (await of("two")).body, (await of("one")).body]).toEqual([
      "one",
      "two",
      "one",
    ]);
  });

  test("who asks for a minor version gets what was stored for such requests alone, until a change", async () => {
    const world = cacheInVirtualTime({}, (request, { minor }) =>
      says(request.method === "GET" ? `1.${minor} ${world.asked.length}` : null, FRESH),
    );
    const of = async (minor: number) => (await world.get("/a", {}, {}, { minor })).body;
    const seen = [];
    for (const minor of [0, 4, 0, 4, 5]) seen.push(await of(minor));
    expect(seen).toEqual(["1.0 1", "1.4 2", "1.0 1", "1.4 2", "1.5 3"]);
    await world.get("/a", {}, { method: "POST" });
    expect([await of(0), await of(4)]).toEqual(["1.0 5", "1.4 6"]);
  });

  test("who asks for a minor version does not wait for an equal request that asks for none", async () => {
    const { service, asked, answer } = byHand();
    const world = cacheInVirtualTime({}, service);
    const both = [world.get("/a"), world.get("/a", {}, {}, { minor: 4 })];
    await turn();
    expect(asked()).toBe(2);
    for (const index of [0, 1]) answer(index, says(`${index}`, FRESH));
    expect((await Promise.all(both)).map(({ body }) => body)).toEqual(["0", "1"]);
  });

  test("an answer that varies by what the gateway signs is not kept", async () => {
    const world = cacheInVirtualTime({}, () =>
      says("a", { "cache-control": "public, max-age=60", vary: "skerry-internal-caller" }),
    );
    await world.get("/a");
    expect(world.part.bytes()).toBe(0);
  });

  test("a request that wants to read what it wrote passes the store by", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    await world.get("/a");
    const { cache } = await world.get("/a", { "skerry-min-position": "7" });
    expect(cache).toBe("skerry; fwd=bypass; detail=skerry-min-position");
  });
});

describe("the address", () => {
  const bodies = async (by: object, urls: string[]) => {
    const world = cacheInVirtualTime({ by }, ({ url }) => says(url, FRESH));
    const seen = [];
    for (const url of urls) seen.push((await world.get(url)).body.replace("http://gateway", ""));
    return seen;
  };
  test("all of its query tells answers apart, in its order", async () => {
    expect(await bodies({}, ["/a?x=1&y=2", "/a?y=2&x=1", "/a"])).toEqual(["/a?x=1&y=2", "/a?y=2&x=1", "/a"]);
  });
  test("parameters that are ignored do not, however they are written", async () => {
    const urls = ["/a?x=1&utm_a=1", "/a?utm_b=2&x=1", "/a?x=1&%75tm_c", "/a?x=2&utm_a=1"];
    expect(await bodies({ query: { ignore: ["utm_*"] } }, urls)).toEqual([
      urls[0],
      urls[0],
      urls[0],
      urls[3],
    ]);
  });
  test("where some are included no other counts", async () => {
    const urls = ["/a?x=1&y=1", "/a?y=2&x=1", "/a?z=1", "/a"];
    expect(await bodies({ query: { include: ["x"] } }, urls)).toEqual([urls[0], urls[0], urls[2], urls[2]]);
  });
  test("one that is too long to be remembered goes to the service", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    const { cache } = await world.get(`/${"a".repeat(2_048)}`);
    expect([cache, world.part.bytes()]).toEqual(["skerry; fwd=bypass; detail=long-address", 0]);
  });
  test("hosts are told apart", async () => {
    expect(await bodies({}, ["http://one/a", "http://two/a"])).toEqual(["http://one/a", "http://two/a"]);
  });
  test("headers of the settings tell answers apart, and a change ends all of them", async () => {
    const world = cacheInVirtualTime({ by: { headers: ["X-Tenant"] } }, ({ headers }) =>
      says(headers.get("x-tenant"), FRESH),
    );
    for (const tenant of ["one", "two", "one"])
      expect((await world.get("/a", { "x-tenant": tenant })).body).toBe(tenant);
    expect(world.asked).toHaveLength(2);
    await world.get("/a", {}, { method: "DELETE" });
    expect(world.part.bytes()).toBe(0);
  });
});

describe("bodies", () => {
  /** A body whose chunks a test lets come; `pulled` counts how many were wanted. */
  const slowBody = (headers: Record<string, string> = FRESH) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const state = { pulled: 0, cancelled: false };
    const body = new ReadableStream<Uint8Array>(
      {
        start(own) {
          controller = own;
        },
        pull: () => void state.pulled++,
        cancel() {
          state.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return {
      state,
      response: () => new Response(body, { headers }),
      chunk: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
      end: () => controller?.close(),
      fail: () => controller?.error(new Error("broken off")),
    };
  };

  test("the client gets bytes while they come", async () => {
    const body = slowBody();
    const world = cacheInVirtualTime({}, () => body.response());
    const reader = (await world.send("/a")).body?.getReader();
    body.chunk("first");
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
    expect(world.part.bytes()).toBe(5);
  });

  test("nothing is read before the client wants it", async () => {
    const body = slowBody();
    const world = cacheInVirtualTime({}, () => body.response());
    const exchange = fakeExchange("/a");
    const response = await world.handler(exchange);
    await turn();
    expect(body.state.pulled).toBe(0);
    void response.text();
    await turn();
    expect(body.state.pulled).toBe(1);
  });

  test("a body beyond the bound reaches the client whole and is not kept, told or not", async () => {
    for (const told of [{}, { "content-length": "12" }]) {
      const world = cacheInVirtualTime({ entryBytesMax: 10 }, () =>
        says("123456789012", { ...FRESH, ...told }),
      );
      expect((await world.get("/a")).body).toBe("123456789012");
      expect(world.part.bytes()).toBe(0);
      await world.get("/a");
      expect(world.asked).toHaveLength(2);
    }
  });

  test("a body that breaks off breaks off for the client, and is not kept", async () => {
    const body = slowBody();
    const world = cacheInVirtualTime({}, () => body.response());
    const text = world.get("/a");
    await turn();
    body.chunk("half");
    body.fail();
    await expect(text).rejects.toThrow("broken off");
    expect(world.part.bytes()).toBe(0);
  });

  test("a client that goes away ends the reading, and nothing is kept", async () => {
    const body = slowBody();
    const world = cacheInVirtualTime({}, () => body.response());
    await (await world.send("/a")).body?.cancel();
    expect([body.state.cancelled, world.part.bytes()]).toEqual([true, 0]);
  });

  test("bodies on their way share a bound: one that finds no room is passed on and not kept", async () => {
    const first = slowBody();
    let count = 0;
    const world = cacheInVirtualTime({ bytesMax: 10_000, entryBytesMax: 10_000 }, () =>
      count++ === 0 ? first.response() : says("x".repeat(6_000), FRESH),
    );
    const reader = (await world.send("/a")).body?.getReader();
    first.chunk("y".repeat(6_000));
    await reader?.read();
    expect((await world.get("/b")).body).toHaveLength(6_000);
    expect(world.part.bytes()).toBe(6_000);
    // Its request has gone without a word: after a while others find room again.
    await world.pass(60_001);
    await world.get("/c");
    expect((await world.get("/c")).cache).toContain("hit");
  });

  test("answers without a body are kept", async () => {
    const world = cacheInVirtualTime({}, () => says(null, FRESH, 204));
    await world.get("/a");
    expect(await world.get("/a")).toMatchObject({ status: 204, body: "", cache: "skerry; hit; ttl=60" });
  });

  test("what belongs to one request is not given to the next", async () => {
    const own = {
      ...FRESH,
      "x-request-id": "first",
      "server-timing": "a",
      "skerry-epoch": "7",
      "x-own": "1",
    };
    const world = cacheInVirtualTime({}, () => says("a", own));
    await world.get("/a");
    const { headers } = await world.get("/a", {}, {}, { requestId: "second" });
    expect(headers.get("x-request-id")).toBe("second");
    expect([headers.get("server-timing"), headers.get("skerry-epoch"), headers.get("x-own")]).toEqual([
      null,
      null,
      "1",
    ]);
  });
});

describe("equal requests at once", () => {
  /** Passes time until all of them have their answers. */
  const until = async <Value>(world: { pass(ms: number): Promise<void> }, all: Promise<Value>[]) => {
    let done = false;
    const every = Promise.all(all).finally(() => {
      done = true;
    });
    for (let n = 0; n < 1_000 && !done; n++) await world.pass(10);
    return every;
  };

  test("one is sent, and the others get what it brought", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    const all = Array.from({ length: 20 }, () => world.get("/a"));
    await world.pass(0);
    hand.answer(0, says("a", FRESH));
    const answers = await until(world, all);
    expect(answers.map(({ body }) => body)).toEqual(Array(20).fill("a"));
    expect(hand.asked()).toBe(1);
  });

  test("nobody waits any longer when the answer is for one request only, and for a while nobody begins to", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    const all = [world.get("/a"), world.get("/a"), world.get("/a")];
    await world.pass(0);
    hand.answer(0, says("mine", { "cache-control": "private" }));
    await world.pass(25);
    expect(hand.asked()).toBe(3);
    const more = [world.get("/a"), world.get("/a")];
    await world.pass(0);
    expect(hand.asked()).toBe(5);
    for (let n = 1; n < 5; n++) hand.answer(n, says(`${n}`, { "cache-control": "private" }));
    expect((await Promise.all([...all, ...more])).map(({ body }) => body)).toEqual([
      "mine",
      "1",
      "2",
      "3",
      "4",
    ]);
    expect(world.sleeping()).toBe(0);
    await world.pass(10_001);
    void world.get("/a");
    void world.get("/a");
    await world.pass(0);
    expect(hand.asked()).toBe(6);
  });

  test("when the one that was sent never comes back, another is sent after a bounded time", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    void world.get("/a");
    const others = [world.get("/a"), world.get("/a"), world.get("/a")];
    for (let n = 0; n < 31; n++) await world.pass(100);
    expect(hand.asked()).toBe(2);
    hand.answer(1, says("a", FRESH));
    const answers = await until(world, others);
    expect(answers.map(({ body }) => body)).toEqual(["a", "a", "a"]);
  });

  test("no request waits for more than two leases, whatever becomes of those that were sent", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    for (let n = 0; n < 10; n++) void world.get("/a");
    for (let n = 0; n < 300; n++) await world.pass(25);
    expect(hand.asked()).toBe(10);
    expect(world.sleeping()).toBe(0);
  });

  test("when the one that was sent fails, the others try by themselves", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    const all = [world.get("/a"), world.get("/a")];
    await world.pass(0);
    hand.answer(0, says("broken", {}, 500));
    await world.pass(25);
    hand.answer(1, says("whole", FRESH));
    expect((await Promise.all(all)).map(({ body }) => body)).toEqual(["broken", "whole"]);
  });

  test("requests of callers wait for nobody else's", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    void world.get("/a");
    void world.get("/a", { authorization: "Bearer a" });
    void world.get("/a", { cookie: "a=1" });
    for (const tenant of ["acme", "rival"])
      void world.get("/a", {}, {}, { caller: { subject: "ann", scopes: [], by: "jwt", tenant } });
    await world.pass(0);
    expect(hand.asked()).toBe(5);
  });

  test("nobody waits where the settings say so", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({ coalesce: false }, hand.service);
    void world.get("/a");
    void world.get("/a");
    await world.pass(0);
    expect(hand.asked()).toBe(2);
  });

  test("where answers are for one request only the client's own conditions reach the service", async () => {
    const world = cacheInVirtualTime({}, () => says("a", { "cache-control": "private", etag: '"1"' }));
    const had = { "if-none-match": '"1"' };
    expect((await world.get("/a", had)).status).toBe(304);
    await world.get("/a", had);
    expect(world.asked.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"1"']);
  });
});

describe("changes under way", () => {
  test("what was asked for before a change is not kept after it", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    const old = world.get("/a");
    await turn();
    const change = world.get("/a", {}, { method: "PUT" });
    await turn();
    hand.answer(1, says("changed"));
    await change;
    hand.answer(0, says("old", FRESH));
    await old;
    expect(world.part.bytes()).toBe(0);
  });
});

describe("fallback", () => {
  /** A service that breaks, and a fallback around it as another part would be. */
  const withFallback = (headers: Record<string, string>) => {
    let broken = false;
    const fallback = (exchange: Exchange): Response =>
      (broken ? world.part.staleAnswer(exchange, 2_000) : undefined) ??
      says(broken ? "refused" : "whole", broken ? {} : headers, broken ? 503 : 200);
    const world = cacheInVirtualTime({}, (_, exchange) => fallback(exchange));
    const breaks = () => {
      broken = true;
    };
    return { world, breaks };
  };

  test("a stored answer is given, as stale as the fallback allows, marked, and is not stored anew", async () => {
    const { world, breaks } = withFallback({ ...FRESH, etag: '"1"' });
    await world.get("/a");
    breaks();
    await world.pass(1_000_000);
    for (let n = 0; n < 2; n++) {
      const stale = await world.get("/a");
      expect([stale.status, stale.body, stale.headers.get("age")]).toEqual([200, "whole", "1000"]);
      expect(stale.headers.get("cache-status")).toBe("skerry; fwd=stale; ttl=-940; detail=fallback");
    }
    await world.pass(1_060_001);
    expect((await world.get("/a")).status).toBe(503);
  });

  test.each(["no-cache", "max-age=10, must-revalidate", "s-maxage=10"])(
    'there is none of what says "%s"',
    async (field) => {
      const { world, breaks } = withFallback({ "cache-control": field, etag: '"1"' });
      await world.get("/a");
      breaks();
      await world.pass(10_000);
      expect((await world.get("/a")).status).toBe(503);
    },
  );

  test("there is none for a caller whom the answer is not for, nor for a change", async () => {
    const { world } = withFallback(FRESH);
    await world.get("/a");
    expect(world.part.staleAnswer(fakeExchange("/a"), 60)?.status).toBe(200);
    expect(
      world.part.staleAnswer(fakeExchange("/a", { headers: { authorization: "a" } }), 60),
    ).toBeUndefined();
    expect(world.part.staleAnswer(fakeExchange("/a", { method: "POST" }), 60)).toBeUndefined();
    expect(world.part.staleAnswer(fakeExchange("/b"), 60)).toBeUndefined();
  });

  test("an answer that stands in for the service's is not kept", async () => {
    const world = cacheInVirtualTime({}, (_, exchange) => {
      exchange.refusal = { code: "unreachable" };
      return says("static", { "cache-control": "max-age=60" });
    });
    await world.get("/a");
    expect(world.part.bytes()).toBe(0);
    const marked = cacheInVirtualTime({}, () => says("other", { ...FRESH, "skerry-fallback": "service" }));
    expect((await marked.get("/a")).cache).toBe("skerry; fwd=uri-miss; detail=fallback");
    expect(marked.part.bytes()).toBe(0);
  });
});

test("a HEAD that somebody else answers leaves what is stored, for the fallback of the next GET", async () => {
  let fails = false;
  const world = cacheInVirtualTime({}, () =>
    fails ? says(null, { "cache-control": "no-store", "skerry-fallback": "static" }) : says("a", FRESH),
  );
  await world.get("/a");
  await world.pass(110_000);
  fails = true;
  await world.get("/a", {}, { method: "HEAD" });
  expect(world.asked).toHaveLength(2);
  expect(world.part.staleAnswer(fakeExchange("/a"), 60)?.status).toBe(200);
});

describe("behind a stale answer", () => {
  test("an answer that is never fresh is asked for again by one of many, as often as it is given", async () => {
    let version = 0;
    const world = cacheInVirtualTime({ staleWhileRevalidateSeconds: 60 }, () =>
      says(`${++version}`, { "cache-control": "max-age=0", etag: `"${version}"` }),
    );
    await world.get("/a");
    const bodies: string[] = [];
    for (let round = 0; round < 4; round++) {
      await world.pass(500);
      const all = await Promise.all(Array.from({ length: 3 }, () => world.get("/a")));
      bodies.push(all.map(({ body }) => body).join(" "));
      await world.settle();
    }
    expect(bodies).toEqual(["1 1 1", "2 2 2", "3 3 3", "4 4 4"]);
    expect(version).toBe(5);
  });

  test("the request that goes on is none of the client's: no signal, no conditions, its own edits", async () => {
    const gone = new AbortController();
    let behind: Exchange | undefined;
    const world = cacheInVirtualTime({ staleWhileRevalidateSeconds: 60 }, (_, exchange) => {
      behind = exchange;
      return says("a", { "cache-control": "max-age=10", etag: '"1"' });
    });
    await world.get("/a");
    await world.pass(10_000);
    const exchange = fakeExchange("/a", { signal: gone.signal, headers: { "if-none-match": '"0"' } });
    expect((await read(await answered(world.handler, exchange))).body).toBe("a");
    gone.abort();
    await Promise.all(exchange.afterwards);
    expect(behind?.request.signal.aborted).toBe(false);
    expect([exchange.onward, exchange.answer]).toEqual([undefined, undefined]);
    expect(world.asked[1]?.headers.get("if-none-match")).toBe('"1"');
    expect((await world.get("/a")).cache).toBe("skerry; hit; ttl=10");
  });
});

describe("of tenants", () => {
  const PUBLIC = { "cache-control": "public, max-age=60" };
  const of = (subject: string, tenant?: string): Partial<Exchange> => ({
    caller: { subject, scopes: [], by: "api_key", ...(tenant !== undefined && { tenant }) },
  });
  /** Says to everybody whose it is. */
  const ofTenants = (cacheControl = PUBLIC["cache-control"], written: WrittenCache = {}) =>
    cacheInVirtualTime(written, (_, { caller }) =>
      says(caller?.tenant ?? "nobody's", { "cache-control": cacheControl, etag: '"same"' }),
    );
  const many = Array.from({ length: LIMITS.cacheVariants + 1 }, (_, each) => `tenant-${each}`);

  test("an answer is given to no other, whatever it says", async () => {
    const all = [of("ann", "acme"), of("bob", "acme"), of("ann", "rival"), of("ann")];
    const bodies = ["acme", "acme", "rival", "nobody's"];
    for (const word of ["public", "s-maxage=60", "must-revalidate"]) {
      const world = ofTenants(`${word}, max-age=60`);
      const seen: string[] = [];
      for (const whose of [...all, ...all]) seen.push((await world.get("/a", {}, {}, whose)).body);
      expect(seen).toEqual([...bodies, ...bodies]);
      expect(world.asked).toHaveLength(3);
    }
  });

  test("a stale answer is given to no other, as a fallback, after an error, or before a newer one comes", async () => {
    const all = [of("ann", "acme"), of("ann", "rival"), of("ann")];
    const bodies = ["acme", "rival", "nobody's"];
    const stale = "public, max-age=1, stale-while-revalidate=60";
    const world = ofTenants(stale);
    await world.get("/a", {}, {}, all[0]);
    await world.pass(2_000);
    const fallback = (whose: Partial<Exchange>) =>
      world.part.staleAnswer(fakeExchange("/a", {}, whose), 60)?.text();
    expect(await Promise.all(all.map(fallback))).toEqual(["acme", undefined, undefined]);
    for (const whose of all.slice(1)) await world.get("/a", {}, {}, whose);
    await world.pass(2_000);
    expect(await Promise.all(all.map(fallback))).toEqual(bodies);
    const before = world.asked.length;
    for (const round of [1, 2])
      for (const [index, whose] of all.entries()) {
        const { body, cache } = await world.get("/a", {}, {}, whose);
        expect([body, cache.includes(round === 1 ? "stale-while" : "hit")]).toEqual([bodies[index], true]);
        await world.settle();
      }
    expect(world.asked).toHaveLength(before + 3);
  });

  test("what a failing service said to one tenant stands in for no other's", async () => {
    let status = 200;
    const world = cacheInVirtualTime({ staleIfErrorSeconds: 60 }, (_, { caller }) =>
      says(`${caller?.tenant} ${status}`, { "cache-control": "public, max-age=1" }, status),
    );
    await world.get("/a", {}, {}, of("ann", "acme"));
    await world.pass(2_000);
    status = 503;
    const seen: string[] = [];
    for (const tenant of ["rival", "acme"])
      seen.push((await world.get("/a", {}, {}, of("ann", tenant))).body);
    expect(seen).toEqual(["rival 503", "acme 200"]);
  });

  test("equal requests at once wait for those of their own tenant, and get what is its", async () => {
    const hand = byHand();
    const world = cacheInVirtualTime({}, hand.service);
    const callers = [of("ann", "acme"), of("bob", "acme"), of("ann", "rival"), of("bob", "rival")];
    const all = callers.map((whose) => world.get("/a", {}, {}, whose));
    await world.pass(0);
    expect(hand.asked()).toBe(2);
    hand.answer(1, says("rival", PUBLIC));
    hand.answer(0, says("acme", PUBLIC));
    await world.pass(25);
    expect((await Promise.all(all)).map(({ body }) => body)).toEqual(["acme", "acme", "rival", "rival"]);
    expect(hand.asked()).toBe(2);
  });

  test("there may be any number, none of whom pushes out another one's answer or learns that there is one", async () => {
    const world = ofTenants(PUBLIC["cache-control"], { varyMax: 1 });
    for (const expected of ["skerry; fwd=uri-miss; stored", "skerry; hit; ttl=60"])
      for (const tenant of [undefined, ...many])
        expect((await world.get("/a", {}, {}, of("ann", tenant))).cache).toBe(expected);
    expect(world.asked).toHaveLength(many.length + 1);
  });

  test("a change by any of them, or by nobody, ends what all have", async () => {
    for (const changing of [of("ann", "acme"), of("ann"), {}]) {
      const world = ofTenants();
      const all = [of("ann", "acme"), of("ann", "rival"), of("ann")];
      for (const whose of all) await world.get("/a", {}, {}, whose);
      await world.get("/a", {}, { method: "PUT" }, changing);
      expect(world.part.bytes()).toBe(0);
      for (const whose of all) expect((await world.get("/a", {}, {}, whose)).cache).toContain("uri-miss");
    }
  });

  test("what one isolate has stored another finds for the same tenant alone", async () => {
    const { fake } = location();
    const service = (_: Request, { caller }: Exchange) => says(caller?.tenant ?? "nobody's", PUBLIC);
    const isolates = [1, 2].map(() => cacheInVirtualTime({ tier: "location" }, service, { location: fake }));
    const seen: string[] = [];
    for (const world of isolates)
      for (const tenant of ["acme", "rival", undefined]) {
        seen.push((await world.get("/a", {}, {}, of("ann", tenant))).body);
        await world.settle();
      }
    expect(seen).toEqual(["acme", "rival", "nobody's", "acme", "rival", "nobody's"]);
    expect(isolates.map(({ asked }) => asked.length)).toEqual([3, 0]);
  });
});

describe("the location's cache", () => {
  const isolate = (
    fake: AnswerCache,
    service = (request: Request) =>
      says(request.headers.get("accept"), {
        ...FRESH,
        vary: "accept",
        etag: '"1"',
        "content-type": "text/a",
      }),
  ) => cacheInVirtualTime({ tier: "location" }, service, { location: fake });

  test("what one isolate has stored another finds, with its age and by its Vary", async () => {
    const { fake } = location();
    const [one, other] = [isolate(fake), isolate(fake)];
    await one.pass(5_000);
    await one.get("/a", { accept: "a/b" });
    await one.settle();
    await other.pass(15_000);
    const found = await other.get("/a", { accept: "a/b" });
    expect([found.body, found.cache, found.headers.get("age")]).toEqual(["a/b", "skerry; hit; ttl=50", "10"]);
    expect(found.headers.get("content-type")).toBe("text/a");
    expect((await other.get("/a", { accept: "c/d" })).body).toBe("c/d");
    expect(other.asked).toHaveLength(1);
  });

  test("it is looked at only when the isolate has nothing", async () => {
    const { fake, seen } = location();
    const world = isolate(fake);
    await world.get("/a");
    await world.settle();
    seen.length = 0;
    await world.get("/a");
    expect(seen).toEqual([]);
  });

  test("a change in one isolate ends what the location has, all variants of it", async () => {
    const { fake } = location();
    const [one, other] = [isolate(fake), isolate(fake)];
    await one.get("/a", { accept: "a/b" });
    await one.get("/a", { accept: "c/d" });
    await one.settle();
    await one.get("/a", {}, { method: "PUT" });
    await one.settle();
    await one.get("/a", { accept: "c/d" });
    await one.settle();
    await other.get("/a", { accept: "a/b" });
    expect(other.asked).toHaveLength(1);
  });

  test("one that fails costs nothing but the look", async () => {
    const fails = async () => {
      throw new Error("away");
    };
    const world = isolate({ match: fails, put: fails, delete: fails });
    expect((await world.get("/a", { accept: "a" })).body).toBe("a");
    await world.get("/a", {}, { method: "PUT" });
    await world.settle();
  });

  test("it is left alone where the settings do not ask for it", async () => {
    const { fake, seen } = location();
    const world = cacheInVirtualTime({}, () => says("a", FRESH), { location: fake });
    await world.get("/a");
    await world.settle();
    expect(seen).toEqual([]);
  });
});

describe("settings", () => {
  test("each default is one that could be written", () => {
    expect(cacheSchema.parse(CACHE_DEFAULTS)).toEqual(CACHE_DEFAULTS);
  });
  test("a header that holds a secret cannot tell answers apart", () => {
    for (const name of ["Authorization", "cookie", "skerry-internal-caller"])
      expect(cacheSchema.safeParse({ by: { headers: [name] } }).success).toBe(false);
  });
  test("HEAD goes to the service where it is not named", async () => {
    const world = cacheInVirtualTime({ methods: ["GET"] }, () =>
      says("a", { ...FRESH, date: httpDate(BEGIN) }),
    );
    await world.get("/a");
    expect((await world.get("/a", {}, { method: "HEAD" })).cache).toBe(
      "skerry; fwd=bypass; detail=method-off",
    );
  });
});
