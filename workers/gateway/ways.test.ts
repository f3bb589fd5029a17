/** Routes, their parts and the registry together, through the whole pipeline. */

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { newApiKey } from "#shared/identity/api-key.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { compileRoute } from "./compile-route.ts";
import type { Handler } from "./exchange.ts";
import { fakeExchange } from "./fake-exchange.ts";
import { type FakeLink, fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { registeredServices } from "./registered-services.ts";

interface Seen {
  readonly by: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

let link: FakeLink;
let lasting: Promise<unknown>[];
let seen: Seen[];
let status: number;
let headers: Record<string, string>;
let outside: Server;
let outsideUrl: string;
let outsideHeaders: Record<string, string>;

beforeAll(async () => {
  outside = createServer(({ headers: got, url = "" }, response) => {
    seen.push({ by: "outside", path: url, headers: flat(got) });
    response.writeHead(200, outsideHeaders).end("outside");
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  outsideUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
});
afterAll(() => void outside.close());

beforeEach(() => {
  lasting = [];
  seen = [];
  status = 200;
  headers = {};
  outsideHeaders = {};
  link = fakeLink();
  link.register("catalog", instance({ id: "catalog1" }), instance({ id: "catalog2", version: "2.0.0" }));
  link.register("audit", instance({ id: "audit" }));
});

const flat = (got: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(got).map(([name, value]) => [name, `${value}`]));

const service = (by: string): Upstream => ({
  async fetch({ url, headers: got }) {
    const { pathname, search } = new URL(url);
    seen.push({ by, path: pathname + search, headers: Object.fromEntries(got) });
    return new Response(`${by} ${seen.length}`, { status: by.startsWith("catalog") ? status : 200, headers });
  },
});

const gateway = (written: object) => {
  const policies = fakePolicies();
  policies.configureAll(written);
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf: ({ id }) => service(id), random: seededRandom(1) }),
    ...policies,
    monitor: service("monitor"),
    control: service("control"),
    newRequestId: () => "made-here",
  });
  const context = {
    waitUntil: (work: Promise<unknown>) => void lasting.push(work),
    passThroughOnException() {},
    props: {},
  };
  const ask = async (path: string, sent: Readonly<Record<string, string>> = {}, method = "GET") => {
    const request = new Request(new URL(path, "http://gateway"), { method, headers: sent });
    const answer = await app.fetch(request, context);
    const text = await answer.text();
    await Promise.all(lasting.splice(0));
    return { status: answer.status, headers: answer.headers, text };
  };
  return { ask, configureAll: policies.configureAll, policies };
};

const told = () => seen.splice(0).map(({ by, path }) => `${by} ${path}`);

describe("a route with everything at once", () => {
  const written = async () => {
    const { key, hash } = await newApiKey("ada");
    const route = {
      match: { path: "/shop/:sku" },
      rewrite: "/catalog/v1/products/:sku",
      to: { service: "catalog", major: 1 },
      canary: { to: { service: "catalog", major: 2 }, header: { name: "x-canary", value: "yes" } },
      policy: {
        authentication: { apiKeys: { keys: { ada: { hash, owner: "Ada" } } } },
        rateLimit: { limit: 6, periodSeconds: 3_600, by: "caller" },
        cache: { staleIfErrorSeconds: 0 },
        mirror: { to: { service: "audit", path: "/audit/v1/seen" } },
        fallback: { steps: [{ cached: {} }, { answer: { body: "sorry" } }] },
        retry: false,
      },
    };
    return { key, config: { routes: { shop: route } } };
  };

  test("does each part's work, in their order", async () => {
    const { key, config } = await written();
    const { ask } = gateway(config);
    headers = { "cache-control": "public, max-age=60" };
    const mine = { "x-api-key": key };

    expect((await ask("/shop/tea")).status).toBe(401);
    expect(told()).toEqual([]);

    expect(await ask("/shop/tea?q=1", mine)).toMatchObject({ status: 200, text: "catalog1 1" });
    expect(new Set(told())).toEqual(
      new Set(["catalog1 /catalog/v1/products/tea?q=1", "audit /audit/v1/seen?q=1"]),
    );

    const again = await ask("/shop/tea?q=1", mine);
    expect([again.text, again.headers.get("cache-status")]).toEqual([
      "catalog1 1",
      expect.stringContaining("hit"),
    ]);
    expect(told()).toEqual([]);

    const canary = await ask("/shop/tea?q=1", { ...mine, "x-canary": "yes" });
    expect(canary.text).toMatch(/^catalog2/);
    expect((await ask("/shop/tea?q=1", mine)).text).toBe("catalog1 1");
    told();

    status = 503;
    const fallen = await ask("/shop/coffee", mine);
    expect([fallen.status, fallen.text, fallen.headers.get("skerry-fallback")]).toEqual([
      200,
      "sorry",
      "static",
    ]);
    expect(fallen.headers.get("ratelimit")).toContain("r=1");
    expect((await ask("/shop/tea?q=1", mine)).status).toBe(200);
    expect((await ask("/shop/tea?q=1", mine)).status).toBe(429);
  });

  test("keeps what its parts remember when something else changes, and forgets it with their own settings", async () => {
    const { key, config } = await written();
    const { ask, configureAll } = gateway(config);
    headers = { "cache-control": "public, max-age=60" };
    const mine = { "x-api-key": key };
    await ask("/shop/tea", mine);
    const { shop } = config.routes;
    configureAll({
      routes: { shop: { ...shop, policy: { ...shop.policy, deadlineMs: 900, mirror: false } } },
    });
    const kept = await ask("/shop/tea", mine);
    expect([kept.text, kept.headers.get("ratelimit")]).toEqual([
      "catalog1 1",
      expect.stringContaining("r=4"),
    ]);
    configureAll({ routes: { shop: { ...shop, policy: { ...shop.policy, cache: { varyMax: 2 } } } } });
    const anew = await ask("/shop/tea", mine);
    expect(anew.text).not.toBe("catalog1 1");
    expect(anew.headers.get("ratelimit")).toContain("r=3");
  });

  test("mirrors by the policy in force, also where the mirror outlived a change", async () => {
    const mirror = { to: { service: "audit", path: "/audit/v1/seen" } };
    const { ask, configureAll } = gateway({ services: { catalog: { mirror } } });
    await ask("/catalog/v1/x");
    expect(told()).toContain("audit /audit/v1/seen");
    configureAll({ services: { catalog: { mirror }, audit: { breaker: { mode: "forced_open" } } } });
    await ask("/catalog/v1/x");
    expect(told()).toEqual(["catalog1 /catalog/v1/x"]);
  });
});

test("an ordered fault of the service shows the fallback at work, one for clients is what they get", async () => {
  const policy = {
    fallback: { steps: [{ answer: { body: "sorry" } }] },
    fault: { abort: { percentage: 100 } },
  };
  const { ask, configureAll } = gateway({ policy });
  const stoodIn = await ask("/catalog/v1/products");
  expect([stoodIn.text, stoodIn.headers.get("skerry-fault")]).toEqual(["sorry", "abort"]);
  configureAll({ policy: { ...policy, fault: { ...policy.fault, at: "client" } } });
  expect((await ask("/catalog/v1/products")).status).toBe(503);
  expect(told()).toEqual([]);
});

test("a client is told where the time went, and only where the route says so", async () => {
  const { ask, configureAll } = gateway({ policy: { serverTiming: {} } });
  const told = (await ask("/catalog/v1/products")).headers.get("server-timing");
  expect(told).toMatch(/^upstream;dur=[\d.]+, total;dur=[\d.]+$/);
  configureAll({});
  expect((await ask("/catalog/v1/products")).headers.has("server-timing")).toBe(false);
});

describe("a part that is off", () => {
  const send: Handler = async () => new Response();
  const compiled = (...layers: object[]) => {
    const policies = fakePolicies();
    const options = { ...policies, entry: () => undefined, sendElsewhere: async () => undefined };
    return compileRoute({ route: "r", layers, send }, options as Parameters<typeof compileRoute>[1]);
  };

  test("is not there: with all of them off a request goes straight to sending", async () => {
    const on = { cache: {}, cors: {}, fault: {}, mirror: { to: { service: "a" } }, compression: {} };
    const off = Object.fromEntries(Object.keys(on).map((name) => [name, false]));
    expect(compiled({ lifecycle: false, limits: false })).toBe(send);
    expect(compiled(on, { ...off, lifecycle: false, limits: false })).toBe(send);
    expect(compiled(on)).not.toBe(send);
    // Beside it only what instances register about their end is looked at.
    const exchange = fakeExchange("/x");
    await compiled({})(exchange);
    expect([exchange.answer, exchange.onward]).toEqual([undefined, undefined]);
  });

  test("of a route is off there alone", async () => {
    headers = { "cache-control": "max-age=60" };
    const { ask } = gateway({
      policy: { cache: {} },
      routes: {
        live: { match: { path: "/live" }, to: { service: "catalog", major: 1 }, policy: { cache: false } },
      },
    });
    for (let n = 0; n < 2; n++) await ask("/live");
    expect(told()).toHaveLength(2);
    for (let n = 0; n < 2; n++) await ask("/catalog/v1/x");
    expect(told()).toHaveLength(1);
  });
});

describe("what a route has stored", () => {
  const CACHED = { cache: {}, fallback: { steps: [{ cached: {} }] } };
  const stored = async (from: object, to: object) => {
    headers = { "cache-control": "max-age=60" };
    outsideHeaders = { ...headers };
    const { ask, configureAll } = gateway({ routes: { r: { ...from, policy: CACHED } } });
    for (let n = 0; n < 2; n++) await ask("/r/a/b");
    expect(told()).toHaveLength(1);
    configureAll({ routes: { r: { ...to, policy: CACHED } } });
    const { text } = await ask("/r/a/b");
    return { text, told: told() };
  };
  const match = { path: "/r/:x/:y" };
  const catalog = { service: "catalog", major: 1 };

  test("is not given when its URL has become another, also one with another path", async () => {
    const changed = await stored(
      { match, to: { url: outsideUrl } },
      { match, to: { url: `${outsideUrl}/new` } },
    );
    expect(changed.told).toEqual(["outside /new/r/a/b"]);
  });

  test("is not given when paths are rewritten otherwise, to a service as to a URL", async () => {
    for (const to of [catalog, { url: outsideUrl }]) {
      const by = to === catalog ? "catalog1" : "outside";
      const rewritten = await stored({ match, to, rewrite: "/:x" }, { match, to, rewrite: "/:y" });
      expect(rewritten.told).toEqual([`${by} /b`]);
      const otherNames = await stored(
        { match, to, rewrite: "/:x" },
        { match: { path: "/r/:y/:x" }, to, rewrite: "/:x" },
      );
      expect(otherNames.told).toEqual([`${by} /b`]);
      expect((await stored({ match, to }, { match, to, rewrite: "/:x" })).told).toEqual([`${by} /a`]);
    }
  });

  test("is not given in the place of an error of where it leads now", async () => {
    const gone = { url: "http://127.0.0.1:1" };
    expect((await stored({ match, to: { url: outsideUrl } }, { match, to: gone })).text).not.toContain(
      "outside",
    );
  });

  test("is given on when what it matches beside has changed, or how much goes elsewhere", async () => {
    const to = { url: outsideUrl };
    const canary = { to: { url: `${outsideUrl}/canary` }, percentage: 0 };
    const wider = { match: { path: ["/r/:x/:y", "/q/:x"] }, to };
    expect((await stored({ match, to }, wider)).told).toEqual([]);
    expect((await stored({ match, to }, { match, to, canary })).told).toEqual([]);
  });

  test("from a canary's URL is the canary's own", async () => {
    outsideHeaders = { "cache-control": "max-age=60" };
    const canary = { to: { url: `${outsideUrl}/canary` }, header: { name: "x-canary", value: "yes" } };
    const route = { match, to: { url: outsideUrl }, canary, policy: { cache: {} } };
    const { ask } = gateway({ routes: { r: route } });
    for (let n = 0; n < 2; n++) {
      await ask("/r/a/b", { "x-canary": "yes" });
      await ask("/r/a/b");
    }
    expect(told()).toEqual(["outside /canary/r/a/b", "outside /r/a/b"]);
  });
});

test("a way that only headers lead to is put together once, not with each request", async () => {
  const { ask, policies } = gateway({ policy: { versions: {}, cache: {} } });
  const keep = vi.spyOn(policies.kept, "keep");
  for (let n = 0; n < 3; n++)
    expect((await ask("/catalog/x", { "skerry-version": "2" })).text).toMatch(/^catalog2/);
  expect(keep).toHaveBeenCalledOnce();
});

describe("minor versions by the registry", () => {
  const register = () =>
    link.register(
      "catalog",
      instance({ id: "catalog-old" }),
      instance({ id: "catalog-new", version: "1.4.0" }),
    );
  const newer = { "skerry-version": "1.4" };

  test("are asked for beside the path, and not answered from what was stored for others", async () => {
    register();
    headers = { "cache-control": "max-age=60" };
    const { ask } = gateway({ services: { catalog: { cache: {} } } });
    for (let n = 0; n < 10; n++) await ask(`/catalog/v1/x?${n}`);
    for (let n = 0; n < 10; n++)
      expect((await ask(`/catalog/v1/x?${n}`, newer)).text).toMatch(/^catalog-new/);
    expect((await ask("/catalog/v1/x", { "skerry-version": "1.5" })).status).toBe(406);
  });

  test("are told in Vary on all answers where somebody has configured them, else where they are asked for", async () => {
    register();
    const varyOf = async (written: object, sent = {}) =>
      (await gateway(written).ask("/catalog/v1/x", sent)).headers.get("vary");
    expect(await varyOf({})).toBeNull();
    expect(await varyOf({}, newer)).toBe("skerry-version, accept");
    expect(await varyOf({ services: { catalog: { versions: {} } } })).toBe("skerry-version, accept");
    expect(await varyOf({ policy: { versions: { mediaType: false } } })).toBe("skerry-version");
    expect(
      await varyOf({ policy: { versions: false }, services: { catalog: { retry: {} } } }, newer),
    ).toBeNull();
  });
});

describe("routes and the registry", () => {
  const toAudit = (path: string) => ({ match: { path }, to: { service: "audit", major: 1 } });

  test("a route goes before the registry, which has the rest", async () => {
    const { ask } = gateway({ routes: { special: toAudit("/catalog/v1/special") } });
    await ask("/catalog/v1/special");
    await ask("/catalog/v1/other");
    expect(told()).toEqual(["audit /catalog/v1/special", "catalog1 /catalog/v1/other"]);
  });

  test.each([
    "/",
    "/control/v1/x",
    "/control/x",
    "/monitor/x",
    "/healthz",
    "/readyz",
    "/.well-known/jwks.json",
    "/.well-known/x",
    "/openapi.json",
    "/docs",
    "/problems/x",
  ])("no route takes %s", async (path) => {
    const { ask } = gateway({
      routes: { all: { ...toAudit("/*"), priority: 1_000 }, exactly: toAudit(path) },
    });
    expect((await ask(path)).text).not.toMatch(/^audit/);
    told();
    await ask("/anything");
    expect(told()).toEqual(["audit /anything"]);
  });

  test.each([{ service: "gone" }, { service: "gone", major: 1 }])(
    "a route to %j, which is not registered, is a 404 and nobody else's, until it is",
    async (to) => {
      const { ask } = gateway({ routes: { mine: { match: { path: "/catalog/v1/mine" }, to } } });
      const refused = await ask("/catalog/v1/mine");
      expect([refused.status, JSON.parse(refused.text).type, told()]).toEqual([
        404,
        "/problems/not_found",
        [],
      ]);
      link.registerUnseen("gone", instance({ id: "back" }));
      expect((await ask("/catalog/v1/mine")).text).toMatch(/^back/);
      link.register("gone", instance({ id: "back", state: "down" }));
      expect((await ask("/catalog/v1/mine")).status).toBe(503);
    },
  );

  test.each([{ service: "gone" }, { service: "gone", major: 1 }])(
    "where %j is not registered a fallback stands in, and is none itself",
    async (to) => {
      const policy = { fallback: { steps: [{ ...to, path: "/x" }, { answer: { body: "sorry" } }] } };
      const { ask } = gateway({ routes: { mine: { match: { path: "/mine" }, to, policy } } });
      expect(await ask("/mine")).toMatchObject({ status: 200, text: "sorry" });
    },
  );
});

describe("a fixed URL", () => {
  test("gets the path behind its own, with the query, as the route rewrites it", async () => {
    const { ask } = gateway({
      escapedSlashes: "keep",
      routes: {
        whole: { match: { path: "/whole/*" }, to: { url: `${outsideUrl}/base/` } },
        part: { match: { path: "/part/*" }, to: { url: `${outsideUrl}/base` }, rewrite: { stripPrefix: 1 } },
      },
    });
    await ask("/whole/a%2Fb/c?x=%20y&z");
    await ask("/part/a/c?x=1");
    expect(told()).toEqual(["outside /base/whole/a%2Fb/c?x=%20y&z", "outside /base/a/c?x=1"]);
  });

  test.each(["the destination", "a mirror", "a fallback"])(
    "as %s is told nothing internal, and says nothing",
    async (as) => {
      const key = { id: "k1", key: Buffer.alloc(32, 7).toString("base64") };
      const url = { url: outsideUrl };
      const policies: Record<string, object> = {
        "the destination": {},
        "a mirror": { mirror: { to: url } },
        "a fallback": { fallback: { steps: [url] } },
      };
      const to = as === "the destination" ? url : { service: "catalog", major: 1 };
      const login = { match: { path: "/login" }, to: { service: "catalog", major: 1 } };
      const { ask } = gateway({
        policy: { session: { keys: [key] } },
        routes: { login, out: { match: { path: "/out" }, to, policy: policies[as] } },
      });
      headers = { [SET_SESSION_FIELD]: Buffer.from('{"sub":"ada"}').toString("base64url") };
      const [cookie = ""] = (await ask("/login")).headers.getSetCookie();
      headers = {};
      expect(cookie).toContain("__Host-");
      told();
      if (as === "a fallback") status = 503;
      outsideHeaders = { [SET_SESSION_FIELD]: Buffer.from('{"sub":"eve"}').toString("base64url") };
      const answer = await ask("/out", {
        cookie: cookie.split(";")[0] ?? "",
        "skerry-internal-identity": "x",
      });
      const internal = (by: string) =>
        seen
          .filter((each) => each.by === by)
          .flatMap((each) => Object.keys(each.headers).filter((name) => name.startsWith("skerry-internal-")));
      expect(seen.some(({ by }) => by === "outside")).toBe(true);
      expect(internal("outside")).toEqual([]);
      if (as !== "the destination") expect(internal("catalog1")).toContain("skerry-internal-session");
      const sessions = answer.headers
        .getSetCookie()
        .filter((line) => line.startsWith("__Host-skerry-session="));
      expect(sessions).toEqual([]);
    },
  );
});
