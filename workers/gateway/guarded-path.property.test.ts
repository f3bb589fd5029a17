/** Nobody gets past a route to what it guards by writing the path otherwise. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Upstream } from "#shared/http/upstream.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { fakeLink, instance } from "./fake-link.ts";
import { createPipeline } from "./pipeline.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { registeredServices } from "./registered-services.ts";

const PLAIN = "/catalog/v1/admin/users";
const nobody: Upstream = {
  fetch: () => Promise.reject(new Error("Asking a neighbour: expected no question")),
};

let seen: Request[];
beforeEach(() => {
  seen = [];
});

const catalog: Upstream = {
  async fetch(request) {
    seen.push(request);
    return new Response("from the catalog");
  },
};

const gateway = (written: object) => {
  const link = fakeLink();
  link.register("catalog", instance({ id: "catalog1" }));
  const policies = fakePolicies();
  policies.configureAll(written);
  const app = createPipeline({
    link,
    services: registeredServices({ link, upstreamOf: () => catalog, random: seededRandom(1) }),
    ...policies,
    monitor: nobody,
    control: nobody,
    newRequestId: () => "made-here",
  });
  const context = { waitUntil: () => undefined, passThroughOnException() {}, props: {} };
  return (path: string, init: RequestInit = {}) => {
    const url = `http://gateway${path}`;
    const request = new Request(url, init);
    // The platform hands on what came; a `Request` made here has no dot segments any more.
    if (request.url !== url) Object.defineProperty(request, "url", { value: url });
    return app.fetch(request, context);
  };
};

/** Lets nobody in. */
const guard = (path: string | readonly string[], methods?: readonly string[]) => ({
  routes: {
    guard: {
      match: { path, ...(methods && { methods }) },
      to: { service: "catalog", major: 1 },
      policy: { authentication: {} },
    },
  },
});

/** As a service reads a path that takes for a slash what may be one, and decodes it as often as it should: once. */
const read = (path: string): string => {
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes);
    } catch {
      return bytes;
    }
  });
  const segments: string[] = [];
  for (const segment of decoded.split(/[/\\]/)) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
};

const escaped = (text: string): string => `%${text.charCodeAt(0).toString(16).padStart(2, "0")}`;
const slash = fc.oneof(
  { weight: 6, arbitrary: fc.constant("/") },
  fc.constantFrom(
    "//",
    "///",
    "/./",
    "/%2e/",
    "/x/../",
    "/x/%2E./",
    "%2f",
    "%2F",
    "%5C",
    "\\",
    "/%2f",
    "%252f",
  ),
);
const character = (text: string) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(text) },
    fc.constantFrom(escaped(text), escaped(text).toUpperCase(), `%25${escaped(text).slice(1)}`),
  );
const spelling = fc
  .tuple(
    ...[...PLAIN].map((each) => (each === "/" ? slash : character(each))),
    fc.constantFrom("", "", "", "/", "//", "/.", "/x/..", "%2f", "%5c", "?q=//%2F", "%zz"),
  )
  .map((parts) => parts.join(""))
  // A target begins with a slash: without one there is no request.
  .filter((path) => path.startsWith("/"));

describe("a guarded path", () => {
  test.each([
    ["without a wildcard", PLAIN],
    ["with one", "/catalog/v1/admin/*"],
    ["with a parameter", "/catalog/v1/:what/users/"],
  ])("%s is guarded or refused however it is written, or the service gets another one", async (_, path) => {
    const ask = gateway(guard(path));
    const counts: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(spelling, async (written) => {
        seen = [];
        const { status } = await ask(written);
        counts[status] = (counts[status] ?? 0) + 1;
        const got = seen.map(({ url }) => read(new URL(url).pathname));
        expect(got).toHaveLength(status === 200 ? 1 : 0);
        expect(got).not.toContain(PLAIN);
      }),
      { numRuns: 2_000 },
    );
    for (const status of [200, 400, 401, 404]) expect(counts[status]).toBeGreaterThan(5);
  });

  test.each(["HEAD", "GET"])("of GET is guarded from %s", async (method) => {
    const ask = gateway(guard(PLAIN, ["GET"]));
    expect((await ask(PLAIN, { method })).status).toBe(401);
    expect((await ask(PLAIN, { method: "POST" })).status).toBe(200);
  });

  test.each([
    [PLAIN, `${PLAIN}/`],
    [`${PLAIN}/`, PLAIN],
    [PLAIN, `${PLAIN}//`],
    [PLAIN, "//catalog//v1/admin///users"],
    [PLAIN, "/catalog/v1/%61dmin/users"],
  ])("%s is guarded when %s is asked for", async (path, asked) => {
    expect((await gateway(guard(path))(asked)).status).toBe(401);
  });
});

describe("several slashes", () => {
  test("are sent on as one, and nothing else is changed", async () => {
    const ask = gateway({});
    const answer = await ask("/catalog//v1///%61/?x=a//b&y=%2F", {
      method: "POST",
      body: "a body",
      headers: { "x-mine": "1" },
    });
    expect(answer.status).toBe(200);
    const [request] = seen as [Request];
    expect(request.url.replace(/^https?:\/\/[^/]+/, "")).toBe("/catalog/v1/%61/?x=a//b&y=%2F");
    expect([request.method, request.headers.get("x-mine"), await request.text()]).toEqual([
      "POST",
      "1",
      "a body",
    ]);
  });

  test("before one of the gateway's own addresses make it nobody else's", async () => {
    const { status } = await gateway(guard("/*"))("//healthz");
    expect(status).toBe(200);
    expect(seen).toEqual([]);
  });
});

describe("an escaped slash", () => {
  test.each(["%2f", "%2F", "%5c", "%5C"])(
    "%s is refused, and the answer says which path it was",
    async (slash) => {
      const path = `/catalog/v1/a${slash}b`;
      const answer = await gateway({})(path);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({
        type: "/problems/invalid_parameter",
        detail: `Reading the path "${path}": expected no slash or backslash as %2F or %5C.`,
      });
      expect(seen).toEqual([]);
    },
  );

  test("is sent on as it came where that is configured", async () => {
    const ask = gateway({ escapedSlashes: "keep" });
    expect((await ask("/catalog/v1/a%2Fb%5c")).status).toBe(200);
    expect(seen.map(({ url }) => new URL(url).pathname)).toEqual(["/catalog/v1/a%2Fb%5c"]);
  });
});
