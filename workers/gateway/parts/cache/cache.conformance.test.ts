/** What RFC 9111, 9211 and 5861 and RFC 9110 section 13 ask of a shared cache; each title begins with its section. */
import { describe, expect, test } from "vitest";
import { BEGIN, cacheInVirtualTime, read, says } from "./cache-in-virtual-time.ts";
import { httpDate } from "./http-date.ts";

const numbered = (headers: Record<string, string>, status = 200) => {
  let count = 0;
  return () => says(status === 204 ? null : `answer ${++count}`, headers, status);
};

/** How many of `times` equal GETs reach the service. */
const asksOf = async (
  headers: Record<string, string>,
  { times = 2, status = 200, request = {} as Record<string, string> } = {},
): Promise<number> => {
  const world = cacheInVirtualTime({}, numbered(headers, status));
  for (let n = 0; n < times; n++) await world.get("/a", request);
  return world.asked.length;
};

const FRESH = { "cache-control": "max-age=60" };

describe("storing", () => {
  test("RFC 9111 §3: a GET's answer that says how long it is fresh is given to the next request", async () => {
    expect(await asksOf(FRESH)).toBe(1);
  });
  test.each(["no-store", "private", 'private="set-cookie"', "no-store, max-age=60", "max-age=60, PRIVATE"])(
    'RFC 9111 §3: an answer with "%s" is never kept',
    async (field) => {
      const world = cacheInVirtualTime({}, numbered({ "cache-control": field, etag: '"1"' }));
      await world.get("/a");
      expect((await world.get("/a")).body).toBe("answer 2");
      expect(world.part.bytes()).toBe(0);
      expect(world.asked[1]?.headers.has("if-none-match")).toBe(false);
    },
  );
  test("RFC 9111 §3: a status that is not heuristically cacheable is kept when the answer says for how long", async () => {
    expect(await asksOf(FRESH, { status: 302 })).toBe(1);
    expect(await asksOf({}, { status: 302 })).toBe(2);
  });
  test("RFC 9111 §3: an answer to POST is not kept", async () => {
    const world = cacheInVirtualTime({}, numbered(FRESH));
    await world.get("/a", {}, { method: "POST" });
    await world.get("/a");
    expect(world.asked).toHaveLength(2);
  });
  test("RFC 9111 §3.1: headers of one connection are not kept, nor those that Connection names", async () => {
    const own = { ...FRESH, connection: "x-hop", "x-hop": "1", "proxy-authenticate": "Basic", "x-end": "2" };
    const world = cacheInVirtualTime({}, () => says("a", own));
    await world.get("/a");
    const { headers } = await world.get("/a");
    expect([headers.get("connection"), headers.get("x-hop"), headers.get("proxy-authenticate")]).toEqual([
      null,
      null,
      null,
    ]);
    expect(headers.get("x-end")).toBe("2");
  });
  test("RFC 9111 §3.3: a body that is shorter than its Content-Length is not kept", async () => {
    const world = cacheInVirtualTime({}, () => says("abc", { ...FRESH, "content-length": "4" }));
    await world.get("/a");
    await world.get("/a");
    expect(world.asked).toHaveLength(2);
  });
  test("RFC 9111 §3.4: a part of a representation is not kept, and a Range passes the store by", async () => {
    const world = cacheInVirtualTime({}, () => says("a", { ...FRESH, "content-range": "bytes 0-0/3" }, 206));
    await world.get("/a", { range: "bytes=0-0" });
    const { cache } = await world.get("/a", { range: "bytes=0-0" });
    expect([world.asked.length, world.part.bytes()]).toEqual([2, 0]);
    expect(cache).toBe("skerry; fwd=bypass; detail=range");
  });
  test.each([
    ["max-age=60", 2],
    ["public, max-age=60", 1],
    ["s-maxage=60", 1],
    ["must-revalidate, max-age=60", 1],
  ])(
    'RFC 9111 §3.5: with Authorization an answer that says "%s" is asked for %d times in two',
    async (field, asks) => {
      expect(await asksOf({ "cache-control": field }, { request: { authorization: "Bearer a" } })).toBe(asks);
    },
  );
  test("RFC 9111 §3.5: what was kept from a request without Authorization is not given to one with it", async () => {
    const world = cacheInVirtualTime({}, numbered(FRESH));
    await world.get("/a");
    expect((await world.get("/a", { authorization: "Bearer a" })).cache).toContain("fwd=request");
    expect((await world.get("/a")).body).toBe("answer 1");
  });
});

describe("choosing what is stored", () => {
  test("RFC 9111 §4: the method counts: a HEAD is answered from a GET, without body, with its length", async () => {
    const world = cacheInVirtualTime({}, () => says("abc", FRESH));
    await world.get("/a");
    const { status, body, headers } = await world.get("/a", {}, { method: "HEAD" });
    expect([status, body, headers.get("content-length"), world.asked.length]).toEqual([200, "", "3", 1]);
  });
  test("RFC 9111 §4: what is given without asking has an Age", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    await world.get("/a");
    await world.pass(7_900);
    expect((await world.get("/a")).headers.get("age")).toBe("7");
  });
  test("RFC 9111 §4.1: answers that differ by a header of Vary are told apart", async () => {
    const world = cacheInVirtualTime({}, (request) =>
      says(request.headers.get("accept-language") ?? "none", { ...FRESH, vary: "Accept-Language" }),
    );
    for (const language of ["de", "en", "de", "en"])
      expect((await world.get("/a", { "accept-language": language })).body).toBe(language);
    expect((await world.get("/a")).body).toBe("none");
    expect(world.asked).toHaveLength(3);
  });
  test("RFC 9111 §4.1: blanks around the members of a header's list do not tell answers apart", async () => {
    const world = cacheInVirtualTime({}, numbered({ ...FRESH, vary: "accept" }));
    await world.get("/a", { accept: "a/b, c/d" });
    expect((await world.get("/a", { accept: "a/b ,c/d" })).body).toBe("answer 1");
  });
  test.each(["*", "accept, *", "not a token"])(
    'RFC 9111 §4.1: "Vary: %s" fits no other request',
    async (vary) => {
      expect(await asksOf({ ...FRESH, vary })).toBe(2);
    },
  );
  test("RFC 9111 §4.1: of several that fit the one with the newest Date is given", async () => {
    const world = cacheInVirtualTime({}, (request) => {
      const en = request.headers.get("accept-language") === "en";
      return says(en ? "old" : "new", {
        ...FRESH,
        date: httpDate(BEGIN + (en ? -5_000 : 0)),
        ...(en && { vary: "accept-language" }),
      });
    });
    await world.get("/a");
    await world.get("/a", { "accept-language": "en", "cache-control": "no-cache" });
    expect((await world.get("/a", { "accept-language": "de" })).body).toBe("new");
    const { body, cache } = await world.get("/a", { "accept-language": "en" });
    expect([body, cache, world.asked.length]).toEqual(["new", "skerry; hit; ttl=60", 3]);
  });
});

describe("freshness", () => {
  /** Whether an answer is still given after `seconds`. */
  const freshAfter = async (
    seconds: number,
    headers: Record<string, string>,
    settings = {},
  ): Promise<boolean> => {
    const world = cacheInVirtualTime(settings, numbered(headers));
    await world.get("/a");
    await world.pass(seconds * 1_000);
    return (await world.get("/a")).body === "answer 1";
  };
  const in60s = httpDate(BEGIN + 60_000);

  test.each([
    ["s-maxage goes before max-age", { "cache-control": "max-age=1, s-maxage=60" }],
    ["max-age goes before Expires", { "cache-control": "max-age=60", expires: httpDate(BEGIN) }],
    ["Expires counts from Date", { expires: in60s, date: httpDate(BEGIN) }],
    ["without Date, Expires counts from when the answer came", { expires: in60s }],
    ["of a repeated directive the first stands", { "cache-control": "max-age=60, max-age=5" }],
    ["a quoted number is a number", { "cache-control": 'max-age="60"' }],
  ])("RFC 9111 §4.2.1: of several lifetimes the right one holds: %s", async (_, headers) => {
    expect(await freshAfter(59, headers)).toBe(true);
    expect(await freshAfter(60, headers)).toBe(false);
  });
  test.each(["max-age=abc", "max-age=-1", "max-age=1.5", "max-age", "max-age=", "s-maxage=x, max-age=60"])(
    'RFC 9111 §4.2.1: "%s" is no freshness, so the answer is stale',
    async (field) => {
      expect(await freshAfter(0, { "cache-control": field })).toBe(false);
    },
  );
  test.each(["0", "-1", "tomorrow", "Thu, 31 Feb 2026 00:00:00 GMT"])(
    'RFC 9111 §5.3: "Expires: %s" is no date, so it has passed',
    async (expires) => expect(await freshAfter(0, { expires })).toBe(false),
  );
  test("RFC 9111 §1.2.2: more seconds than can be counted are very many", async () => {
    expect(await freshAfter(10 ** 9, { "cache-control": "max-age=99999999999999999999" })).toBe(true);
  });
  test("RFC 9111 §4.2.2: freshness is guessed only where the settings say so, as a share of the time since Last-Modified", async () => {
    const headers = { "last-modified": httpDate(BEGIN - 1_000_000) };
    expect(await freshAfter(0, headers)).toBe(false);
    expect(await freshAfter(99, headers, { heuristicShare: 0.1 })).toBe(true);
    expect(await freshAfter(100, headers, { heuristicShare: 0.1 })).toBe(false);
  });
  test("RFC 9111 §4.2.2: the settings' lifetime holds for what says nothing, not for what does", async () => {
    expect(await freshAfter(29, {}, { ttlSeconds: 30 })).toBe(true);
    expect(await freshAfter(30, {}, { ttlSeconds: 30 })).toBe(false);
    expect(await freshAfter(6, { "cache-control": "max-age=5" }, { ttlSeconds: 30 })).toBe(false);
    expect(await freshAfter(0, { "cache-control": "no-cache" }, { ttlSeconds: 30 })).toBe(false);
  });
  test("RFC 9111 §4.2.3: Age of a cache before this one counts, of several the first", async () => {
    expect(await freshAfter(19, { ...FRESH, age: "40" })).toBe(true);
    expect(await freshAfter(20, { ...FRESH, age: "40" })).toBe(false);
    expect(await freshAfter(20, { ...FRESH, age: "40, 0" })).toBe(false);
    expect(await freshAfter(20, { ...FRESH, age: "old" })).toBe(true);
  });
  test("RFC 9111 §4.2.3: a Date in the past is age, one in the future or that is none is not", async () => {
    expect(await freshAfter(20, { ...FRESH, date: httpDate(BEGIN - 40_000) })).toBe(false);
    expect(await freshAfter(59, { ...FRESH, date: httpDate(BEGIN + 40_000) })).toBe(true);
    expect(await freshAfter(59, { ...FRESH, date: "yesterday" })).toBe(true);
  });
  test("RFC 9111 §4.2.3: the time that the answer took is age", async () => {
    const world = cacheInVirtualTime({}, async () => {
      await world.pass(10_000);
      return says("a", { ...FRESH, age: "1" });
    });
    await world.get("/a");
    expect((await world.get("/a")).headers.get("age")).toBe("11");
  });
  test("RFC 9110 §6.6.1: what is stored without a Date gets the time at which it came", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    await world.get("/a");
    await world.pass(5_000);
    expect((await world.get("/a")).headers.get("date")).toBe(httpDate(BEGIN));
  });
});

describe("stale answers", () => {
  const after60s = async (field: string, request: Record<string, string>, settings = {}) => {
    const world = cacheInVirtualTime(settings, numbered({ "cache-control": field, etag: '"1"' }));
    await world.get("/a");
    await world.pass(60_000);
    const answer = await world.get("/a", request);
    await world.settle();
    return answer;
  };
  test("RFC 9111 §4.2.4: without leave nothing is given stale", async () => {
    expect((await after60s("max-age=10", {})).body).toBe("answer 2");
  });
  test.each(["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=10"])(
    "RFC 9111 §4.2.4: %s forbids to give it stale, whatever client and settings allow",
    async (directive) => {
      const settings = { staleWhileRevalidateSeconds: 3_600, staleIfErrorSeconds: 3_600 };
      const answer = await after60s(`max-age=10, ${directive}`, { "cache-control": "max-stale" }, settings);
      expect(answer.body).toBe("answer 2");
    },
  );
  test("RFC 5861 §3: within stale-while-revalidate the stale answer is given, and one newer is fetched behind it", async () => {
    const world = cacheInVirtualTime(
      {},
      numbered({ "cache-control": "max-age=10, stale-while-revalidate=60" }),
    );
    await world.get("/a");
    await world.pass(30_000);
    const stale = await Promise.all([world.get("/a"), world.get("/a")]);
    expect(stale.map(({ body }) => body)).toEqual(["answer 1", "answer 1"]);
    expect(stale[0]?.cache).toBe("skerry; hit; ttl=-20; detail=stale-while-revalidate");
    await world.settle();
    expect((await world.get("/a")).body).toBe("answer 2");
    expect(world.asked).toHaveLength(2);
  });
  test("RFC 5861 §3: beyond stale-while-revalidate the client waits for the newer one", async () => {
    expect((await after60s("max-age=10, stale-while-revalidate=50", {})).body).toBe("answer 2");
    expect((await after60s("max-age=10, stale-while-revalidate=51", {})).body).toBe("answer 1");
    expect((await after60s("max-age=10", {}, { staleWhileRevalidateSeconds: 51 })).body).toBe("answer 1");
  });
  test.each([500, 502, 503, 504])("RFC 5861 §4: within stale-if-error a %d is replaced", async (status) => {
    let broken = false;
    const world = cacheInVirtualTime({}, () =>
      broken
        ? says("broken", {}, status)
        : says("whole", { "cache-control": "max-age=10, stale-if-error=60" }),
    );
    await world.get("/a");
    broken = true;
    await world.pass(69_000);
    const stale = await world.get("/a");
    expect([stale.status, stale.body, stale.headers.get("age")]).toEqual([200, "whole", "69"]);
    expect(stale.cache).toBe(`skerry; fwd=stale; fwd-status=${status}; ttl=-59; detail=stale-if-error`);
    await world.pass(1_000);
    expect((await world.get("/a")).body).toBe("broken");
  });
  test("RFC 5861 §4: the client may ask for stale-if-error, too; a 404 is no error", async () => {
    let status = 503;
    let asks = 0;
    const world = cacheInVirtualTime({}, () => (asks++ === 0 ? says("a", FRESH) : says("b", {}, status)));
    await world.get("/a");
    await world.pass(90_000);
    expect((await world.get("/a", { "cache-control": "stale-if-error=31" })).body).toBe("a");
    status = 404;
    expect((await world.get("/a", { "cache-control": "stale-if-error=31" })).status).toBe(404);
  });
});

describe("requests", () => {
  const answerAfter = async (seconds: number, headers: Record<string, string>) => {
    const world = cacheInVirtualTime({}, numbered({ "cache-control": "max-age=60", etag: '"1"' }));
    await world.get("/a");
    await world.pass(seconds * 1_000);
    return world.get("/a", headers);
  };
  test.each([
    [".1", "max-age=10", 10, "answer 1"],
    [".1", "max-age=10", 11, "answer 2"],
    [".2", "max-stale=5", 65, "answer 1"],
    [".2", "max-stale=5", 66, "answer 2"],
    [".2", "max-stale", 9_999, "answer 1"],
    [".2", "max-stale=x", 61, "answer 2"],
    [".3", "min-fresh=20", 40, "answer 1"],
    [".3", "min-fresh=20", 41, "answer 2"],
    [".4", "no-cache", 0, "answer 2"],
    [".5", "no-store", 1, "answer 1"],
    [".6", "no-transform", 1, "answer 1"],
  ])(
    'RFC 9111 §5.2.1%s: the request\'s "%s" at an age of %d s gives "%s"',
    async (_, field, seconds, body) => {
      expect((await answerAfter(seconds, { "cache-control": field })).body).toBe(body);
    },
  );
  test("RFC 9111 §5.2.1.5: what comes for a request with no-store is not kept", async () => {
    expect(await asksOf(FRESH, { request: { "cache-control": "no-store" } })).toBe(2);
  });
  test("RFC 9111 §5.2.1.7: only-if-cached is answered from the store, or 504", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    const only = { "cache-control": "only-if-cached" };
    const refused = await world.get("/a", only);
    expect([refused.status, JSON.parse(refused.body).type]).toEqual([504, "/problems/not_stored"]);
    await world.get("/a");
    expect((await world.get("/a", only)).status).toBe(200);
    await world.pass(60_000);
    expect((await world.get("/a", only)).status).toBe(504);
    expect(world.asked).toHaveLength(1);
  });
  test("RFC 9111 §5.4: Pragma means no-cache where there is no Cache-Control", async () => {
    expect((await answerAfter(1, { pragma: "no-cache" })).body).toBe("answer 2");
    expect((await answerAfter(1, { pragma: "no-cache", "cache-control": "max-age=30" })).body).toBe(
      "answer 1",
    );
  });
});

describe("answers' directives", () => {
  test("RFC 9111 §5.2.2.3: must-understand undoes no-store for statuses that are understood, and forbids all others", async () => {
    expect(await asksOf({ "cache-control": "must-understand, no-store, max-age=60" })).toBe(1);
    expect(await asksOf({ "cache-control": "must-understand, max-age=60" }, { status: 418 })).toBe(2);
  });
  test("RFC 9111 §5.2.2.4: no-cache is asked for again each time, with its validator", async () => {
    const world = cacheInVirtualTime({}, (request) =>
      request.headers.get("if-none-match") === '"1"'
        ? says(null, { etag: '"1"' }, 304)
        : says("a", { "cache-control": "no-cache", etag: '"1"' }),
    );
    for (let n = 0; n < 3; n++) expect(await world.get("/a")).toMatchObject({ status: 200, body: "a" });
    expect(world.asked.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"1"', '"1"']);
  });
  test("RFC 9111 §5.2.3: a directive that is not known means nothing", async () => {
    expect(await asksOf({ "cache-control": 'community="UCI, x", max-age=60, =, ,"' })).toBe(1);
  });
});

describe("validation", () => {
  const validated = (news: Record<string, string>, first: Record<string, string> = {}) => {
    const world = cacheInVirtualTime({}, (request) => {
      const { headers } = request;
      return headers.has("if-none-match") || headers.has("if-modified-since")
        ? says(null, news, 304)
        : says("a", {
            "cache-control": "max-age=10",
            etag: '"1"',
            "x-kept": "1",
            "content-type": "text/a",
            ...first,
          });
    });
    return world;
  };
  test("RFC 9111 §4.3.1: a stale answer is asked for by ETag and by Last-Modified, in the place of the client's conditions", async () => {
    const modified = httpDate(BEGIN - 1_000);
    const world = validated({ etag: '"1"' }, { "last-modified": modified });
    await world.get("/a");
    await world.pass(10_000);
    await world.get("/a", { "if-none-match": '"client"' });
    expect(world.asked[1]?.headers.get("if-none-match")).toBe('"1"');
    expect(world.asked[1]?.headers.get("if-modified-since")).toBe(modified);
  });
  test("RFC 9111 §4.3.2: If-Match and If-Unmodified-Since are the service's to judge", async () => {
    const world = cacheInVirtualTime({}, numbered({ ...FRESH, etag: '"1"' }));
    await world.get("/a");
    expect((await world.get("/a", { "if-match": '"2"' })).body).toBe("answer 2");
    expect((await world.get("/a", { "if-unmodified-since": httpDate(BEGIN) })).body).toBe("answer 3");
  });
  test("RFC 9111 §4.3.3: a 304 makes the stored answer fresh again", async () => {
    const world = validated({ etag: '"1"', "cache-control": "max-age=20" });
    await world.get("/a");
    await world.pass(10_000);
    const { status, body, cache } = await world.get("/a");
    expect([status, body, cache]).toEqual([200, "a", "skerry; fwd=stale; fwd-status=304; ttl=20; stored"]);
    await world.pass(19_000);
    expect((await world.get("/a")).cache).toBe("skerry; hit; ttl=1");
  });
  test("RFC 9111 §4.3.3: a full answer takes the stored one's place", async () => {
    const world = cacheInVirtualTime({}, numbered({ "cache-control": "max-age=10", etag: '"1"' }));
    await world.get("/a");
    await world.pass(10_000);
    expect((await world.get("/a")).body).toBe("answer 2");
    expect((await world.get("/a")).body).toBe("answer 2");
  });
  test("RFC 9111 §4.3.4: a 304 of another ETag frees nothing: the answer is asked for whole", async () => {
    const world = cacheInVirtualTime({}, (request) =>
      request.headers.has("if-none-match")
        ? says(null, { etag: '"2"' }, 304)
        : says("whole", { "cache-control": "max-age=10", etag: '"1"' }),
    );
    await world.get("/a");
    await world.pass(10_000);
    expect(await world.get("/a")).toMatchObject({ status: 200, body: "whole" });
    expect(world.asked.map(({ headers }) => headers.has("if-none-match"))).toEqual([false, true, false]);
  });
  test("RFC 9111 §3.2: a 304's headers take the stored ones' place, but for those that describe the body", async () => {
    const world = validated({
      etag: '"1"',
      "x-new": "2",
      "content-type": "text/b",
      "content-encoding": "br",
    });
    await world.get("/a");
    await world.pass(10_000);
    const { headers } = await world.get("/a");
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-kept": "1",
      "x-new": "2",
      "content-type": "text/a",
    });
    expect(headers.has("content-encoding")).toBe(false);
  });
  test("RFC 9111 §4.3.4: a 304 that forbids storing ends it", async () => {
    const world = validated({ etag: '"1"', "cache-control": "private" });
    await world.get("/a");
    await world.pass(10_000);
    expect((await world.get("/a")).body).toBe("a");
    expect(world.part.bytes()).toBe(0);
  });
  test("RFC 9111 §4.3.5: a HEAD with the same validators freshens, with others it ends what is stored", async () => {
    let etag = '"1"';
    let count = 0;
    const world = cacheInVirtualTime({}, ({ method }) =>
      says(method === "HEAD" ? null : `answer ${++count}`, { "cache-control": "max-age=10", etag }),
    );
    await world.get("/a");
    await world.pass(10_000);
    await world.get("/a", {}, { method: "HEAD" });
    expect((await world.get("/a")).body).toBe("answer 1");
    await world.pass(10_000);
    etag = '"2"';
    await world.get("/a", {}, { method: "HEAD" });
    expect(world.part.bytes()).toBe(0);
    expect((await world.get("/a")).body).toBe("answer 2");
  });
});

describe("changes", () => {
  const world = (answer: Record<string, string>, status = 200) =>
    cacheInVirtualTime({}, ({ method, url }) =>
      method === "GET" ? says(url, FRESH) : says(null, answer, status),
    );
  test.each(["POST", "PUT", "DELETE", "PATCH", "MERGE"])(
    "RFC 9111 §4.4: a %s that succeeds ends what is stored",
    async (method) => {
      const it = world({}, 204);
      await it.get("/a");
      expect((await it.get("/a", {}, { method })).cache).toBe("skerry; fwd=method");
      expect((await it.get("/a")).cache).toContain("fwd=uri-miss");
    },
  );
  test.each([400, 500])("RFC 9111 §4.4: a change that fails with %d ends nothing", async (status) => {
    const it = world({}, status);
    await it.get("/a");
    await it.get("/a", {}, { method: "PUT" });
    expect((await it.get("/a")).cache).toContain("hit");
  });
  test("RFC 9111 §4.4: Location and Content-Location count, of the same origin only", async () => {
    const it = world({ location: "/b", "content-location": "http://other/c" }, 201);
    for (const url of ["/a", "/b", "http://other/c", "/d"]) await it.get(url);
    await it.get("/a", {}, { method: "POST" });
    const hits = [];
    for (const url of ["/a", "/b", "http://other/c", "/d"])
      hits.push((await it.get(url)).cache.includes("hit"));
    expect(hits).toEqual([false, false, true, true]);
  });
  test("RFC 9111 §4.4: OPTIONS changes nothing", async () => {
    const it = world({});
    await it.get("/a");
    await it.get("/a", {}, { method: "OPTIONS" });
    expect((await it.get("/a")).cache).toContain("hit");
  });
});

describe("conditions of clients", () => {
  const modified = httpDate(BEGIN - 60_000);
  const conditional = async (
    headers: Record<string, string>,
    own: Record<string, string> = {},
    status = 200,
  ) => {
    const world = cacheInVirtualTime({}, () => says("a", { ...FRESH, ...own }, status));
    await world.get("/a");
    return world.get("/a", headers);
  };
  test.each([
    ['"1"', '"1"', 304],
    ['W/"1"', '"1"', 304],
    ['"1"', 'W/"1"', 304],
    ['"0", "1"', '"1"', 304],
    ["*", '"1"', 304],
    ['"2"', '"1"', 200],
    ['"1', '"1"', 200],
  ])(
    "RFC 9110 §13.1.2: If-None-Match %s to an answer with %s is answered %d",
    async (field, etag, status) => {
      expect((await conditional({ "if-none-match": field }, { etag })).status).toBe(status);
    },
  );
  test.each([
    [modified, 304],
    [httpDate(BEGIN), 304],
    [httpDate(BEGIN - 61_000), 200],
    ["yesterday", 200],
    ["Wednesday, 31-Dec-25 23:59:00 GMT", 304],
    ["Wed Dec 31 23:59:00 2025", 304],
  ])('RFC 9110 §13.1.3: If-Modified-Since "%s" is answered %d', async (since, status) => {
    expect((await conditional({ "if-modified-since": since }, { "last-modified": modified })).status).toBe(
      status,
    );
  });
  test("RFC 9110 §13.2.2: beside If-None-Match, If-Modified-Since means nothing", async () => {
    const headers = { "if-none-match": '"2"', "if-modified-since": modified };
    expect((await conditional(headers, { etag: '"1"', "last-modified": modified })).status).toBe(200);
  });
  test("RFC 9110 §13.2.1: a condition means nothing to what would not be a 200", async () => {
    expect((await conditional({ "if-none-match": '"1"' }, { etag: '"1"' }, 404)).status).toBe(404);
  });
  test("RFC 9110 §15.4.5: a 304 has what a client updates its copy with, and nothing that describes a body", async () => {
    const own = {
      etag: '"1"',
      vary: "accept",
      "content-type": "text/a",
      "content-language": "de",
      "last-modified": modified,
    };
    const { headers, body } = await conditional({ "if-none-match": '"1"' }, own);
    expect(body).toBe("");
    expect([...headers.keys()].sort()).toEqual([
      "age",
      "cache-control",
      "cache-status",
      "date",
      "etag",
      "vary",
      "x-request-id",
    ]);
  });
  test("RFC 9111 §4.3.2: a client that has what comes from the service gets a 304, and the store gets it whole", async () => {
    const world = cacheInVirtualTime({}, () => says("a", { ...FRESH, etag: '"1"' }));
    expect((await world.get("/a", { "if-none-match": '"1"' })).status).toBe(304);
    expect(world.asked[0]?.headers.has("if-none-match")).toBe(false);
    await world.settle();
    expect(await world.get("/a")).toMatchObject({ status: 200, body: "a", cache: "skerry; hit; ttl=60" });
  });
});

describe("Cache-Status", () => {
  test("RFC 9211 §2: the member is appended to those of caches before this one", async () => {
    const world = cacheInVirtualTime({}, () => says("a", { ...FRESH, "cache-status": "origin; hit" }));
    const first = await read(await world.send("/a"));
    expect(first.headers.get("cache-status")).toBe("origin; hit, skerry; fwd=uri-miss; stored");
    const second = await read(await world.send("/a"));
    expect(second.headers.get("cache-status")).toBe("origin; hit, skerry; hit; ttl=60");
  });
  test("RFC 9211 §2: what the gateway answers by itself has no member", async () => {
    const world = cacheInVirtualTime({}, (_, exchange) => {
      exchange.refusal = { code: "unreachable" };
      return says("refused", {}, 502);
    });
    expect((await world.get("/a")).headers.has("cache-status")).toBe(false);
  });
  test("RFC 9211 §2.2: fwd says why the service was asked", async () => {
    const world = cacheInVirtualTime({}, numbered({ ...FRESH, vary: "accept" }));
    const seen = [
      await world.get("/a"),
      await world.get("/a", { accept: "a/b" }),
      await world.get("/a", { "cache-control": "no-cache" }),
      await world.get("/a", {}, { method: "POST" }),
      await world.get("/a", { range: "bytes=0-" }),
    ];
    expect(seen.map(({ cache }) => /fwd=([a-z-]+)/.exec(cache)?.[1])).toEqual([
      "uri-miss",
      "vary-miss",
      "request",
      "method",
      "bypass",
    ]);
  });
  test("RFC 9211 §2.4: ttl counts down, and goes below zero for what is stale", async () => {
    const world = cacheInVirtualTime({}, () => says("a", FRESH));
    await world.get("/a");
    await world.pass(50_000);
    expect((await world.get("/a")).cache).toBe("skerry; hit; ttl=10");
    await world.pass(20_000);
    expect((await world.get("/a", { "cache-control": "max-stale" })).cache).toBe("skerry; hit; ttl=-10");
  });
  test("RFC 9211 §2.5: stored is said of what is put into the store only", async () => {
    const world = cacheInVirtualTime({}, () => says("a", { "cache-control": "private" }));
    expect((await world.get("/a")).cache).toBe("skerry; fwd=uri-miss; detail=private");
  });
  test("RFC 9211 §2.6: collapsed is said of what another request brought", async () => {
    let answer = (_: Response): void => undefined;
    const world = cacheInVirtualTime({}, () => new Promise((resolve) => (answer = resolve)));
    const both = [world.get("/a"), world.get("/a")];
    await world.pass(0);
    answer(says("a", FRESH));
    for (let n = 0; n < 5; n++) await world.pass(25);
    const [led, followed] = await Promise.all(both);
    expect(led?.cache).toBe("skerry; fwd=uri-miss; stored");
    expect(followed?.cache).toBe("skerry; fwd=uri-miss; ttl=59; collapsed");
    expect(world.asked).toHaveLength(1);
  });
});
