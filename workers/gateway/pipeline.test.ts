import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Upstream } from "#shared/http/upstream.ts";
import { appUpstream } from "#shared/http/upstream-app.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Instance } from "#shared/registry/instance.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { type FakeLink, fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import type { WrittenPolicy } from "./policy/policy-schema.ts";
import { REGISTERED_PROBLEMS } from "./problem-registry.ts";
import { registeredServices } from "./registered-services.ts";

const SHOP = ["catalog", "inventory", "orders", "payments"];

let seen: Request[];
let answer: (request: Request) => Response | Promise<Response>;
let link: FakeLink;
let lasting: Promise<unknown>[];

const upstream: Upstream = appUpstream({
  fetch: (request) => {
    seen.push(request);
    return answer(request);
  },
});

type Upstreams = Partial<Record<string, Upstream>>;

/** A gateway whose instances are reached by `upstreams`, by the names of their bindings; all others by `upstream`. */
const gateway = (upstreams: Upstreams = {}, random = seededRandom(1), policy: WrittenPolicy = {}) => {
  const upstreamOf = ({ binding }: Instance) =>
    binding === undefined ? undefined : (upstreams[binding] ?? upstream);
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf, random }),
    ...fakePolicies(policy, { random }),
    monitor: upstreams.monitor ?? upstream,
    control: upstreams.control ?? upstream,
    minter: { mint: () => "who calls" },
    newRequestId: () => "made-here",
  });
  const context = {
    waitUntil: (work: Promise<unknown>) => void lasting.push(work),
    passThroughOnException() {},
    props: {},
  };
  return {
    request: async (path: string | Request, init?: RequestInit) =>
      app.fetch(path instanceof Request ? path : new Request(new URL(path, "http://gateway"), init), context),
  };
};

beforeEach(() => {
  seen = [];
  lasting = [];
  answer = () => Response.json({ from: "service" });
  link = fakeLink();
  for (const service of SHOP) {
    link.register(service, instance({ binding: service, metadata: { summary: `What ${service} does.` } }));
  }
});

const problemOf = async (response: Response) => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return (await response.json()) as { type: string; detail: string };
};

describe("a request to a service", () => {
  test("is passed on with its method, path, query, headers and body", async () => {
    const response = await gateway().request("/orders/v1/orders?a=1&b=%20x", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": "k",
        "skerry-min-position": "orders=4",
      },
      body: '{"a":1}',
    });
    expect(await response.json()).toEqual({ from: "service" });
    const [request] = seen;
    expect(request?.method).toBe("POST");
    expect(new URL(request?.url ?? "").pathname).toBe("/orders/v1/orders");
    expect(new URL(request?.url ?? "").search).toBe("?a=1&b=%20x");
    expect(request?.headers.get("idempotency-key")).toBe("k");
    expect(request?.headers.get("skerry-min-position")).toBe("orders=4");
    expect(await request?.text()).toBe('{"a":1}');
  });

  test("gets the service's own answer, whatever its status", async () => {
    for (const status of [201, 204, 304, 404, 409, 500, 503]) {
      answer = () => new Response(null, { status, headers: { "x-own": "kept" } });
      const response = await gateway().request("/catalog/v1/products");
      expect(response.status).toBe(status);
      expect(response.headers.get("x-own")).toBe("kept");
    }
  });

  test("is streamed, not collected: the service may answer before the body has ended", async () => {
    const endless = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(1024)) });
    answer = () => new Response("early");
    const init = { method: "POST", body: endless, duplex: "half" } as unknown as RequestInit;
    expect(await (await gateway().request("/orders/v1/orders", init)).text()).toBe("early");
  });

  test.each([
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
    "skerry-internal-actor",
    "Skerry-Internal-Anything",
  ])("RFC 9110 §7.6.1: a request loses the header %s, which is not the client's to pass on", async (name) => {
    await gateway().request("/orders/v1/orders", { headers: { [name]: "x", accept: "application/json" } });
    expect(seen[0]?.headers.has(name)).toBe(false);
    expect(seen[0]?.headers.get("accept")).toBe("application/json");
  });

  test("RFC 9110 §7.6.1: a request loses the headers that its Connection names, and survives names that are none", async () => {
    await gateway().request("/orders/v1/orders", {
      headers: {
        connection: "close, X-Mine,, b ä d, content-type",
        "x-mine": "x",
        "content-type": "application/json",
      },
    });
    expect(seen[0]?.headers.has("x-mine")).toBe(false);
    expect(seen[0]?.headers.get("content-type")).toBe("application/json");
  });

  test.each<[string | undefined, string]>([
    [undefined, "1.1 skerry"],
    ["1.0 fred, 1.1 p.example.net", "1.0 fred, 1.1 p.example.net, 1.1 skerry"],
  ])("RFC 9110 §7.6.3: a request that came with Via %j goes on with %j", async (had, via) => {
    const headers = { ...(had !== undefined && { via: had }), connection: "close" };
    await gateway().request("/orders/v1/orders", { headers });
    await gateway().request("/orders/v1/orders", { headers, method: "PUT", body: "kept, to be sent again" });
    expect(seen.map((request) => request.headers.get("via"))).toEqual([via, via]);
  });

  test("RFC 9110 §7.6.3: the gateway adds itself to Via although the client's Connection names it", async () => {
    await gateway().request("/orders/v1/orders", { headers: { connection: "via", via: "1.1 mine" } });
    expect(seen[0]?.headers.get("via")).toBe("1.1 skerry");
  });

  test("that goes in a circle is ended by its Via, before it has gone round often", async () => {
    const app: { request: (path: Request) => Promise<Response> } = gateway({
      orders: appUpstream({
        fetch: (request) => {
          seen.push(request);
          return app.request(request);
        },
      }),
    });
    const response = await app.request(new Request("http://gateway/orders/v1/orders"));
    expect((await problemOf(response)).type).toBe("/problems/loop_detected");
    expect([response.status, seen.length]).toEqual([508, LIMITS.gatewayPasses]);
  });

  test("RFC 9110 §7.6.1: an answer loses what its Connection names and what is for one connection, not what tells of its body", async () => {
    const own = {
      "x-mine": "x",
      "keep-alive": "timeout=5",
      "proxy-connection": "keep-alive",
      upgrade: "h2c",
    };
    const told = { "content-type": "text/plain", "x-request-id": "named", "x-kept": "k" };
    answer = () =>
      new Response("whole", {
        headers: { ...own, ...told, connection: "close, X-Mine,, b ä d, content-type" },
      });
    const response = await gateway().request("/orders/v1/orders");
    expect(Object.fromEntries(response.headers)).toEqual(told);
    expect(await response.text()).toBe("whole");
  });

  test("keeps the trace context of its client when nothing is traced here", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await gateway().request("/orders/v1/orders", { headers: { traceparent } });
    expect(seen[0]?.headers.get("traceparent")).toBe(traceparent);
  });

  test("is named for the service and for the client, by the client's own id where it has one", async () => {
    const own = await gateway().request("/orders/v1/orders", { headers: { "x-request-id": "mine-1" } });
    expect(own.headers.get("x-request-id")).toBe("mine-1");
    expect(seen[0]?.headers.get("x-request-id")).toBe("mine-1");
    const made = await gateway().request("/orders/v1/orders");
    expect(made.headers.get("x-request-id")).toBe("made-here");
    expect(seen[1]?.headers.get("x-request-id")).toBe("made-here");
  });

  test.each(["with space", "x".repeat(129), ""])("is named anew when its id is %j", async (id) => {
    const response = await gateway().request("/orders/v1/orders", { headers: { "x-request-id": id } });
    expect(response.headers.get("x-request-id")).toBe("made-here");
  });

  test("that declares too large a body is refused before the service sees it", async () => {
    const response = await gateway().request("/orders/v1/orders", {
      method: "POST",
      headers: { "content-length": "262145" },
      body: "x",
    });
    expect(response.status).toBe(413);
    expect((await problemOf(response)).type).toBe("/problems/body_too_large");
    expect(seen).toEqual([]);
  });

  test("whose service does not answer is told so, and when to come back", async () => {
    answer = () => Promise.reject(new Error("secret inside"));
    const response = await gateway().request("/orders/v1/orders");
    expect(response.status).toBe(502);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(response.headers.get("x-request-id")).toBe("made-here");
    const problem = await problemOf(response);
    expect(problem.type).toBe("/problems/upstream_unreachable");
    expect(JSON.stringify(problem)).not.toContain("secret");
  });
});

describe("an address", () => {
  test.each([
    "/nothing/v1/x",
    "/constructor/v1/x",
    "/__proto__/v1/x",
    "/v1",
    "/orders",
    "/orders/",
    "/favicon.ico",
    "//v1/x",
  ])("%s leads nowhere", async (path) => {
    const response = await gateway().request(path);
    expect(response.status).toBe(404);
    expect((await problemOf(response)).type).toBe("/problems/not_found");
    expect(seen).toEqual([]);
  });

  test.each(["v2", "v0", "v01", "1", "V1", "v1.0", "v99999999999999999999", "%20"])(
    "with the version %s is told which ones there are",
    async (version) => {
      const response = await gateway().request(`/orders/${version}/orders`);
      expect(response.status).toBe(404);
      expect((await problemOf(response)).detail).toContain('expected one of "v1"');
      expect(seen).toEqual([]);
    },
  );

  test.each([
    "/control/v1/../../internal/changes",
    "/monitor/%2e%2e/v1/traces",
    "/catalog/v1/..\\..\\x",
    "*",
  ])("to %j, which its receiver would read otherwise, leads nowhere", async (path) => {
    const url = path === "*" ? path : `http://gateway${path}`;
    const request = Object.defineProperty(new Request("http://gateway/"), "url", { value: url });
    const refused = await gateway().request(request);
    expect([refused.status, refused.headers.get("x-request-id"), seen]).toEqual([404, "made-here", []]);
  });

  test("under /monitor/ leads to the monitor", async () => {
    const monitor = appUpstream({ fetch: (request) => new Response(new URL(request.url).pathname) });
    expect(await (await gateway({ monitor }).request("/monitor/traces/1")).text()).toBe("/monitor/traces/1");
  });

  test("RFC 9110 §15.5.6: an address of the gateway's own names its methods to other ones", async () => {
    const response = await gateway().request("/healthz", { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  test("never makes the gateway fail, whatever it is", async () => {
    const app = gateway();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.constantFrom("GET", "POST", "PUT"),
        async (path, method) => {
          const url = new URL(`http://gateway/${encodeURI(path.toWellFormed()).replaceAll("#", "")}`);
          const response = await app.request(new Request(url.href, { method }));
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("the gateway itself", () => {
  const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

  test("shows a page to browsers and data to programs", async () => {
    const page = await gateway().request("http://localhost:8787/", { headers: html });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const text = await page.text();
    for (const name of SHOP) {
      expect(text).toContain(`/${name}/v1/openapi.json`);
      expect(text).toContain(`What ${name} does.`);
    }
    expect(text).toContain("curl -X PUT http://localhost:8787/catalog/v1/products/tea-500");
    for (const accept of ["application/json", "*/*"]) {
      const data = await gateway().request("/", { headers: { accept } });
      expect(await data.json()).toMatchObject({ name: "skerry", documents: "/openapi.json" });
    }
  });

  test("shows pages that load nothing from elsewhere and run only their own script", async () => {
    for (const path of ["/", "/problems", "/problems/not_found"]) {
      const page = await gateway().request(path, { headers: html });
      const policy = page.headers.get("content-security-policy") ?? "";
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
      const text = await page.text();
      expect(policy).toContain("default-src 'none'");
      for (const [, found] of text.matchAll(/<(?:style|script) nonce="([^"]*)"/g)) expect(found).toBe(nonce);
      expect(text).not.toMatch(/<(?:style|script)(?! nonce)/);
      expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    }
  });

  test.each(["/", "/openapi.json", "/healthz", "/readyz", "/problems", "/problems/conflict", "/nowhere"])(
    "names the request in its own answer to %s",
    async (path) => {
      const response = await gateway().request(path, { headers: { "x-request-id": "mine" } });
      expect(response.headers.get("x-request-id")).toBe("mine");
    },
  );

  test("RFC 9110 §9.3.2: the gateway answers HEAD without a body", async () => {
    const response = await gateway().request("/", { method: "HEAD", headers: html });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  test("lists the documents of all services", async () => {
    const response = await gateway().request("/openapi.json?list");
    expect(await response.json()).toEqual({
      services: SHOP.map((name) => ({ name, major: 1, url: `/${name}/v1/openapi.json` })),
    });
  });

  test("RFC 9457 §3.1.1: the gateway explains every registered problem at the address that its type names", async () => {
    for (const problem of REGISTERED_PROBLEMS) {
      const response = await gateway().request(`/problems/${problem.code}`);
      expect(await response.json()).toEqual({ type: `/problems/${problem.code}`, ...problem });
    }
    expect((await gateway().request("/problems/nothing_such")).status).toBe(404);
  });

  test("is ready when every service, the monitor and the control plane are", async () => {
    const response = await gateway().request("/readyz");
    expect(response.status).toBe(200);
    const { checks } = (await response.json()) as { checks: { name: string }[] };
    expect(checks.map(({ name }) => name)).toEqual([...SHOP, "monitor", "control", "identity"]);
    expect(seen.map(({ url }) => new URL(url).pathname)).toEqual(Array(checks.length - 1).fill("/readyz"));
  });

  test("is not ready when one service is not, and passes on what that one lacks", async () => {
    const body = { checks: [{ name: "log", ready: false, detail: "no connection" }] };
    const orders = appUpstream({ fetch: () => Response.json(body, { status: 503 }) });
    const payments = appUpstream({ fetch: () => new Response("<html>", { status: 500 }) });
    const response = await gateway({ orders, payments }).request("/readyz");
    expect(response.status).toBe(503);
    const { checks } = (await response.json()) as { checks: object[] };
    expect(checks).toContainEqual({ name: "orders", ready: false, detail: "log: no connection" });
    expect(checks).toContainEqual({
      name: "payments",
      ready: false,
      detail: "it answered 500, expected 200",
    });
  });
});
