import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { instance } from "../fake-link.ts";
import { type Behaviour, gatewayInVirtualTime, unreachable } from "./gateway-in-virtual-time.ts";
import type { WrittenPolicy } from "./policy-schema.ts";

const gateway = (policy?: WrittenPolicy, random?: () => number) =>
  gatewayInVirtualTime(virtualTime(), policy, random);

const problemOf = (text: string) => (JSON.parse(text) as { type: string }).type;
const plainly =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response("no", { status, headers: { "x-request-id": "r", ...headers } });
const NO_PAUSE = { retry: { backoffMs: 0 } };

describe("retry", () => {
  test.each<[string, Behaviour]>([
    ["that does not answer", unreachable],
    ["that answers 502", 502],
    ["that answers 503", 503],
    ["that answers 504", 504],
  ])("an instance %s is hidden by another one", async (_, bad) => {
    const { instances, ask, asked, cancelled } = gateway({ balance: "round_robin" });
    instances({ a: bad, b: 200 });
    for (let n = 0; n < 4; n++) expect(await ask()).toMatchObject({ status: 200, text: "b" });
    expect(asked).toContain("a");
    expect(cancelled).toEqual(typeof bad === "number" ? asked.filter((id) => id === "a") : []);
  });

  test("never goes to whom it has met while there is somebody else", async () => {
    const { instances, ask, asked } = gateway({ retry: { attempts: 5, budget: { cap: 100 } } });
    instances({ a: 503, b: 503, c: 503 });
    expect((await ask()).status).toBe(503);
    expect(new Set(asked.slice(0, 3))).toEqual(new Set(["a", "b", "c"]));
    expect(asked).toHaveLength(5);
  });

  test("goes to the same one where there is no other", async () => {
    let calls = 0;
    const { instances, ask } = gateway();
    instances({ a: () => (calls++ === 0 ? unreachable() : new Response("well")) });
    expect(await ask()).toMatchObject({ status: 200, text: "well" });
  });

  test("is not made of what is no failure, nor of a service's own word that it cannot", async () => {
    const { instances, ask, asked } = gateway();
    for (const behaviour of [500, 404, 429, plainly(503, { "content-type": "application/problem+json" })]) {
      instances({ a: behaviour });
      await ask();
    }
    expect(asked).toHaveLength(4);
  });

  test("is not made of a POST, unless it has an Idempotency-Key or the policy says so", async () => {
    const { instances, ask, asked, configure } = gateway({ breaker: false });
    instances({ a: unreachable });
    const post = { method: "POST", body: "x" };
    expect((await ask(post)).status).toBe(502);
    expect(asked.splice(0)).toHaveLength(1);
    await ask({ ...post, headers: { "idempotency-key": "k" } });
    expect(asked.splice(0)).toHaveLength(2);
    configure({ breaker: false, retry: { safeMethods: ["POST"] } });
    await ask(post);
    expect(asked.splice(0)).toHaveLength(2);
    configure({ breaker: false, retry: false });
    await ask();
    expect(asked.splice(0)).toHaveLength(1);
  });

  test("sends the body again to the byte, and tells no length that it does not know", async () => {
    const { instances, ask, seen } = gateway(NO_PAUSE);
    const sent = Uint8Array.from({ length: 64 * 1024 }, (_, n) => (n * 7) % 256);
    const got: Uint8Array[] = [];
    const bad = async (request: Request) => {
      got.push(await request.bytes());
      return new Response(null, { status: 503 });
    };
    instances({ a: bad, b: bad });
    const answer = await ask({ method: "PUT", body: sent, headers: { "content-length": "65536" } });
    expect(answer.status).toBe(503);
    expect(got).toEqual([sent, sent]);
    expect(seen.map(({ headers }) => headers.get("content-length"))).toEqual([null, null]);
  });

  test.each([
    ["of a known length", { "content-length": "65537" }],
    ["of an unknown one", {}],
  ])("is not made of a larger body %s, which arrives whole", async (_, headers) => {
    const { instances, ask, asked } = gateway(NO_PAUSE);
    const sent = new Uint8Array(65_537).fill(3);
    let got = 0;
    instances({
      a: async (request) => {
        got = (await request.bytes()).byteLength;
        return new Response(null, { status: 503 });
      },
    });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(sent);
        controller.close();
      },
    });
    const init = { method: "PUT", body, duplex: "half", headers } as unknown as RequestInit;
    expect((await ask(init)).status).toBe(503);
    expect([got, asked.length]).toEqual([65_537, 1]);
  });

  test("ends with the budget, and the first answer is given", async () => {
    const budget = { ratio: 0, perSecond: 0, cap: 1 };
    const { instances, ask, asked } = gateway({ retry: { budget }, breaker: false });
    instances({ a: 503 });
    expect(await ask()).toMatchObject({ status: 503 });
    expect(asked.splice(0)).toHaveLength(2);
    expect(await ask()).toMatchObject({ status: 503, text: "a" });
    expect(asked).toHaveLength(1);
  });

  test("is paid for by requests that need none", async () => {
    const budget = { ratio: 0.5, perSecond: 0, cap: 1 };
    const { instances, ask, asked } = gateway({ retry: { budget }, breaker: false });
    for (const [behaviour, attempts] of [
      [502, 2],
      [200, 1],
      [502, 2],
    ] as const) {
      instances({ a: behaviour });
      await ask();
      expect(asked.splice(0)).toHaveLength(attempts);
    }
  });

  test("ends with a service's own word, and where all breakers are open", async () => {
    const { instances, ask, asked, time, configure } = gateway({ retry: { attempts: 5 } });
    const word = plainly(503, { "content-type": "application/problem+json" });
    instances({ a: () => (asked.length === 1 ? unreachable() : word()) });
    expect(await ask()).toMatchObject({ status: 503, text: "no" });
    expect(asked.splice(0)).toHaveLength(2);
    configure({ retry: { attempts: 5, backoffMs: 100 }, breaker: { minimumCalls: 1 } });
    instances({ b: unreachable });
    const began = time.clock();
    expect((await ask()).status).toBe(503);
    expect([asked.length, time.clock() - began]).toEqual([1, 50]);
  });

  test("goes rather to one that is ejected than to whom it has met", async () => {
    const outliers = { consecutiveFailures: 1, panicShare: 0 };
    const { instances, ask } = gateway({ balance: "round_robin", breaker: false, outliers });
    instances({ a: 200, b: 500 });
    for (let n = 0; n < 4; n++) await ask();
    instances({ a: 503, b: 200 });
    for (let n = 0; n < 4; n++) expect(await ask()).toMatchObject({ status: 200, text: "b" });
  });

  test("waits as the server asks, but not for somebody else", async () => {
    const { instances, ask, time } = gateway(NO_PAUSE);
    let calls = 0;
    const once = () => (calls++ === 0 ? plainly(503, { "retry-after": "3" })() : new Response("ok"));
    instances({ a: once });
    const began = time.clock();
    expect((await ask()).status).toBe(200);
    expect(time.clock() - began).toBe(3_000);
    calls = 0;
    instances({ a: once, b: once });
    expect((await ask()).status).toBe(200);
    expect(time.clock() - began).toBe(3_000);
  });

  test("finds an instance that has moved while nobody looked", async () => {
    const { instances, ask, asked, link, behaviours } = gateway();
    instances({ gone: unreachable });
    link.registerUnseen("s", instance({ id: "moved", url: "http://moved" }));
    expect(await ask()).toMatchObject({ status: 200, text: "moved" });
    expect([asked, link.looks()]).toEqual([["gone", "moved"], 1]);
    behaviours.set("moved", 503);
    await ask();
    expect(link.looks()).toBe(1);
  });

  test("is not made of an upgrade, which keeps its headers", async () => {
    const { instances, ask, asked, seen } = gateway();
    instances({ a: unreachable });
    await ask({ headers: { upgrade: "websocket", connection: "Upgrade", "sec-websocket-key": "k" } });
    expect(asked).toHaveLength(1);
    expect(seen[0]?.headers.get("upgrade")).toBe("websocket");
    expect(seen[0]?.headers.get("sec-websocket-key")).toBe("k");
  });

  test("whatever instances do, a safe request succeeds whenever one of them answers well", async () => {
    const behaviour = fc.constantFrom<Behaviour>(502, 503, 504, unreachable);
    await fc.assert(
      fc.asyncProperty(
        fc.array(behaviour, { minLength: 0, maxLength: 6 }),
        fc.constantFrom<NonNullable<WrittenPolicy["balance"]>>("weight", "power_of_two", "round_robin", {
          hash: { header: "x-key" },
        }),
        fc.constantFrom("GET", "HEAD", "PUT", "DELETE"),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (bad, balance, method, draws) => {
          const policy: WrittenPolicy = {
            balance,
            retry: { attempts: 7, budget: { cap: 1_000 } },
          };
          const { instances, ask } = gateway(policy, () => draws.next().value ?? 0);
          instances({ ...Object.fromEntries(bad.map((each, n) => [`bad${n}`, each])), good: 200 });
          for (let n = 0; n < 12; n++) {
            expect((await ask({ method, headers: { "x-key": `${n}` } })).status).toBe(200);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("the deadline", () => {
  const never = () => new Promise<Response>(() => undefined);

  test("ends what is not answered, and what comes later is let go", async () => {
    const { instances, ask, time } = gateway({ deadlineMs: 700 });
    const late = Promise.withResolvers<Response>();
    let cancelled = 0;
    instances({ a: () => late.promise });
    const began = time.clock();
    const refused = await ask();
    expect([refused.status, problemOf(refused.text)]).toEqual([504, "/problems/deadline_exceeded"]);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(time.clock() - began).toBe(700);
    late.resolve(new Response(new ReadableStream({ cancel: () => void cancelled++ })));
    await time.settle();
    expect(cancelled).toBe(1);
  });

  test.each([
    ["Skerry-Deadline", "250", 250],
    ["grpc-timeout", "250m", 250],
    ["Skerry-Deadline", "90000", 1_000],
  ])("is the client's %s: %s up to the policy's", async (name, value, endMs) => {
    const { instances, ask, time, seen } = gateway({ deadlineMs: 1_000 });
    instances({ a: never });
    const began = time.clock();
    expect((await ask({ headers: { [name]: value } })).status).toBe(504);
    expect(time.clock() - began).toBe(endMs);
    expect(seen[0]?.headers.get("skerry-deadline")).toBe(`${endMs - 5}`);
  });

  test("leaves a second attempt what remains, and begins none that it has no time for", async () => {
    const { instances, ask, seen, time } = gateway({ deadlineMs: 1_000, ...NO_PAUSE });
    const slowly = async () => {
      await time.sleep(600);
      return new Response(null, { status: 503 });
    };
    instances({ a: slowly, b: slowly });
    expect((await ask()).status).toBe(504);
    expect(seen.map(({ headers }) => headers.get("skerry-deadline"))).toEqual(["995", "395"]);
    expect((await ask({ headers: { "skerry-deadline": "0" } })).status).toBe(504);
    expect(seen).toHaveLength(2);
  });

  test("does not cut a body that streams on", async () => {
    const { instances, begin, time, seen } = gateway({ deadlineMs: 100, hedge: {} });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    instances({ a: () => new Response(readable) });
    const answer = await begin();
    await time.pass(60_000);
    const writer = writable.getWriter();
    void writer.write(new TextEncoder().encode("still here")).then(() => writer.close());
    expect(await answer.text()).toBe("still here");
    expect(seen[0]?.signal.aborted).toBe(false);
  });

  test("of a client in a hurry speaks against nobody", async () => {
    const { instances, ask, behaviours } = gateway({
      breaker: { minimumCalls: 2 },
      retry: false,
      deadlineMs: 50,
    });
    instances({ a: never });
    for (let n = 0; n < 10; n++) await ask({ headers: { "skerry-deadline": "1" } });
    behaviours.set("a", 200);
    expect((await ask()).status).toBe(200);
    behaviours.set("a", never);
    for (let n = 0; n < 10; n++) await ask();
    expect((await ask()).status).toBe(503);
  });
});

test("a client that goes away is no failure, and nothing is tried again for it", async () => {
  const { instances, ask, asked, behaviours, begin, time } = gateway({
    breaker: { minimumCalls: 2 },
  });
  instances({
    a: (request) =>
      new Promise((_, reject) =>
        request.signal.addEventListener("abort", () => reject(request.signal.reason)),
      ),
  });
  for (let n = 0; n < 10; n++) {
    const client = new AbortController();
    const answer = begin({ signal: client.signal });
    await time.settle();
    client.abort();
    await answer;
  }
  expect(asked).toHaveLength(10);
  behaviours.set("a", 200);
  expect((await ask()).status).toBe(200);
});

describe("the breaker", () => {
  const breaker = { minimumCalls: 4, openMs: 5_000, jitter: 0, permittedHalfOpenCalls: 2 };

  test("opens on failures, says when to come back, and finds out that the instance is well", async () => {
    const { instances, ask, asked, behaviours, time } = gateway({ breaker, retry: false });
    instances({ a: 500 });
    for (let n = 0; n < 4; n++) expect((await ask()).status).toBe(500);
    await time.pass(1_500);
    const refused = await ask();
    expect([refused.status, problemOf(refused.text)]).toEqual([503, "/problems/unavailable"]);
    expect(refused.headers.get("retry-after")).toBe("4");
    expect(asked).toHaveLength(4);
    behaviours.set("a", 200);
    await time.pass(3_500);
    for (let n = 0; n < 3; n++) expect((await ask()).status).toBe(200);
  });

  test("that is finding out refuses the others for a second at least", async () => {
    const one = { ...breaker, permittedHalfOpenCalls: 1 };
    const { instances, ask, begin, time } = gateway({ breaker: one, retry: false });
    instances({ a: 500 });
    for (let n = 0; n < 4; n++) await ask();
    await time.pass(5_000);
    const pending = Promise.withResolvers<Response>();
    instances({ a: () => pending.promise });
    const trial = begin();
    await time.settle();
    expect((await ask()).headers.get("retry-after")).toBe("1");
    pending.resolve(new Response("well"));
    expect((await trial).status).toBe(200);
  });

  test("of one instance leaves the others their work", async () => {
    const { instances, ask, asked } = gateway({
      breaker,
      retry: false,
      outliers: false,
      balance: "round_robin",
    });
    instances({ a: 500, b: 200 });
    for (let n = 0; n < 8; n++) await ask();
    asked.length = 0;
    for (let n = 0; n < 8; n++) expect((await ask()).status).toBe(200);
    expect(new Set(asked)).toEqual(new Set(["b"]));
  });

  test("is forced open and let go by configuration, and remembers through any other change", async () => {
    const { instances, ask, configure } = gateway({ retry: false });
    instances({ a: 200 });
    configure({ retry: false }, { s: { breaker: { mode: "forced_open" } } });
    const refused = await ask();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    configure({ retry: false, breaker });
    expect((await ask()).status).toBe(200);
    instances({ a: 500 });
    for (let n = 0; n < 4; n++) await ask();
    configure({ retry: false, breaker, deadlineMs: 900 });
    expect((await ask()).status).toBe(503);
    configure({ retry: false, breaker: false });
    expect((await ask()).status).toBe(500);
  });

  test("does not count a service's own word that it cannot at the moment", async () => {
    const { instances, ask } = gateway({ breaker });
    instances({ a: plainly(503, { "content-type": "application/problem+json" }) });
    for (let n = 0; n < 20; n++) expect(await ask()).toMatchObject({ status: 503, text: "no" });
  });
});

describe("outliers", () => {
  test("are ejected while their peers answer well", async () => {
    const { instances, ask, asked } = gateway({
      breaker: false,
      retry: false,
      balance: "round_robin",
    });
    instances({ a: 500, b: 200, c: 200 });
    for (let n = 0; n < 15; n++) await ask();
    asked.length = 0;
    for (let n = 0; n < 12; n++) expect((await ask()).status).toBe(200);
    expect(asked).not.toContain("a");
  });

  test("are asked again before nobody is, and when they are off", async () => {
    const outliers = { shareMax: 1, panicShare: 0.5, consecutiveFailures: 1 };
    const off = { breaker: false, retry: false, balance: "round_robin" } as const;
    const { instances, ask, asked, configure } = gateway({ ...off, outliers });
    instances({ a: 500, b: 500, c: 500 });
    for (let n = 0; n < 9; n++) await ask();
    expect(asked).toHaveLength(9);
    expect(new Set(asked.slice(-3))).toEqual(new Set(["a", "b", "c"]));
    configure({ ...off, outliers: false });
    instances({ a: 500, b: 200, c: 200 });
    asked.length = 0;
    for (let n = 0; n < 30; n++) await ask();
    expect(asked.filter((id) => id === "a")).toHaveLength(10);
  });
});

describe("a rate limit", () => {
  const policy: WrittenPolicy = { rateLimit: { limit: 2, periodSeconds: 10, by: { header: "x-key" } } };

  test("refuses by 429 and says how much and when", async () => {
    const { instances, ask, asked, time } = gateway(policy);
    instances({ a: 200 });
    const headers = { "x-key": "one" };
    for (let n = 0; n < 2; n++) expect((await ask({ headers })).status).toBe(200);
    const refused = await ask({ headers });
    expect([refused.status, problemOf(refused.text)]).toEqual([429, "/problems/rate_limited"]);
    expect(refused.headers.get("ratelimit-policy")).toBe('"x-key-10s";q=2;w=10');
    expect(refused.headers.get("ratelimit")).toBe('"x-key-10s";r=0;t=5');
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(refused.headers.get("x-request-id")).toBe("made-here");
    expect((await ask({ headers: { "x-key": "other" } })).status).toBe(200);
    expect(asked).toHaveLength(3);
    await time.pass(5_000);
    expect((await ask({ headers })).status).toBe(200);
  });

  test("is kept through another change, for each service by itself, and off unless written", async () => {
    const { instances, ask, link, configure } = gateway({}, () => 0.5);
    instances({ a: 200 });
    link.register("t", instance({ id: "t1", url: "http://t1" }));
    const client = { headers: { "cf-connecting-ip": "192.0.2.1" } };
    for (let n = 0; n < 5; n++) expect((await ask(client)).status).toBe(200);
    const one = { rateLimit: { limit: 1, periodSeconds: 60 } };
    configure(one);
    expect((await ask(client)).status).toBe(200);
    expect((await ask(client)).status).toBe(429);
    configure({ ...one, deadlineMs: 5 });
    expect((await ask(client)).status).toBe(429);
    expect((await ask(client, "/t/v1/x")).status).toBe(200);
    configure(one, { s: { rateLimit: false } });
    expect((await ask(client)).status).toBe(200);
  });
});

describe("a bulkhead", () => {
  test("lets so many in at once, and refuses or holds up the others", async () => {
    const { instances, ask, begin, time, configure } = gateway({ bulkhead: { concurrent: 1 } });
    let gate = Promise.withResolvers<Response>();
    instances({ a: () => gate.promise });
    const first = begin();
    await time.settle();
    const refused = await ask();
    expect([refused.status, problemOf(refused.text), refused.headers.get("retry-after")]).toEqual([
      503,
      "/problems/unavailable",
      "1",
    ]);
    configure({ bulkhead: { concurrent: 1, queue: 1, waitMs: 50 } });
    const waiting = begin();
    await time.pass(20);
    gate.resolve(new Response("first"));
    expect(await (await first).text()).toBe("first");
    gate = Promise.withResolvers<Response>();
    gate.resolve(new Response("second"));
    await time.pass(20);
    expect(await (await waiting).text()).toBe("second");
  });
});

describe("a throttle", () => {
  test("refuses beforehand what is not accepted, the less the higher its priority", async () => {
    const throttle = { padding: 1, priorityHeader: "x-priority" };
    const { instances, ask, asked } = gateway({ throttle, breaker: false, retry: false });
    instances({ a: (request) => new Response(null, { status: request.url.includes("bad") ? 503 : 200 }) });
    for (let n = 0; n < 10; n++) await ask();
    for (let n = 0; n < 25; n++) await ask({}, "/s/v1/bad");
    asked.length = 0;
    const low = await ask({ headers: { "x-priority": "low" } });
    expect([low.status, asked.length]).toEqual([503, 0]);
    expect((await ask()).status).toBe(200);
  });
});

describe("a hedge", () => {
  test("asks another instance when the first is slow, and takes the faster answer", async () => {
    const { instances, ask, asked, behaviours, time } = gateway({ hedge: { answersMin: 5 } });
    instances({ a: 200, b: 200 });
    for (let n = 0; n < 6; n++) await ask();
    asked.length = 0;
    let given = 0;
    const slowFirst = (request: Request) => {
      if (asked.length > 1) return new Response("second");
      return new Promise<Response>((_, reject) =>
        request.signal.addEventListener("abort", () => {
          given++;
          reject(request.signal.reason);
        }),
      );
    };
    for (const id of ["a", "b"]) behaviours.set(id, slowFirst);
    const began = time.clock();
    expect(await ask()).toMatchObject({ status: 200, text: "second" });
    expect([new Set(asked).size, given]).toEqual([2, 1]);
    expect(time.clock() - began).toBeLessThan(10);
    asked.length = 0;
    await ask({ method: "POST", headers: { "skerry-deadline": "50" } });
    expect(asked).toHaveLength(1);
  });
});

describe("balance", () => {
  test.each<[WrittenPolicy["balance"], Record<string, string>, Record<string, string>]>([
    [{ hash: { header: "x-user" } }, { "x-user": "u1" }, { "x-user": "u" }],
    [{ hash: { cookie: "sid" } }, { cookie: "a=1; sid=u1" }, { cookie: "sid=u" }],
  ])("by %j keeps what belongs together at one instance", async (balance, one, other) => {
    const { instances, ask, asked } = gateway({ balance });
    instances({ a: 200, b: 200, c: 200, d: 200 });
    for (let n = 0; n < 10; n++) await ask({ headers: one });
    expect(new Set(asked).size).toBe(1);
    const [name, value] = Object.entries(other)[0] ?? ["", ""];
    for (let n = 0; n < 30; n++) await ask({ headers: { [name]: `${value}${n}` } });
    expect(new Set(asked).size).toBe(4);
  });
});

test.each<[string, WrittenPolicy]>([
  ["for a retry", {}],
  ["for a fallback", { fallback: { methods: ["PUT"], steps: [{ service: "other" }] } }],
])("a client whose body, kept %s, does not come in time makes no instance fail", async (_, more) => {
  const { instances, ask, asked } = gateway({ deadlineMs: 100, breaker: { minimumCalls: 1 }, ...more });
  instances({ a: 200 });
  for (let n = 0; n < 20; n++) {
    const body = new ReadableStream({ pull: () => new Promise(() => undefined) });
    const headers = { "content-length": "10" };
    const answer = await ask({ method: "PUT", headers, body, duplex: "half" } as RequestInit);
    expect(answer.status).toBe(504);
  }
  expect(asked).toEqual([]);
  expect((await ask()).status).toBe(200);
});
