/** What matches what, which of several comes first, and what a lookup costs whatever there is. */
import { describe, expect, test } from "vitest";
import type { RouteQuestion } from "./request-facts.ts";
import type { WrittenMatch, WrittenRoute } from "./route-schema.ts";
import { compileRoutes } from "./route-table.ts";

const to = { service: "shop" };
const asked = (
  path: string,
  headers: Record<string, string> = {},
  more: Partial<RouteQuestion> = {},
): RouteQuestion => ({
  method: "GET",
  path,
  url: `https://shop.example.com${path}`,
  headers: new Headers(headers),
  ...more,
});
const middle = () => 0.5;
const only = (match: WrittenMatch) => compileRoutes({ only: { match, to } }, middle);
const matches = (match: WrittenMatch, question: RouteQuestion) => only(match).find(question) !== undefined;

describe("a path", () => {
  test.each([
    ["/", "/"],
    ["/*", "/"],
    ["/*", "//a/"],
    ["/a", "/a/"],
    ["/a/", "/a"],
    ["/a/*", "/a"],
    ["/a/*", "/a/"],
    ["/a/*", "/a//b/"],
    ["/a/:id", "/a/1/"],
    ["/a/:id/b", "/a/1/b"],
    ["/%61", "/a"],
    ["/a%2fb", "/a%2Fb"],
    ["/é", "/%c3%a9"],
    ["/%C3%A9", "/é"],
    ["/things:batch", "/things:batch"],
    ["/%2A", "/*"],
    ["/%3Aid", "/:id"],
    ["/:id", "/%zz"],
  ])("%s fits %s", (path, given) => {
    expect(matches({ path }, asked(given))).toBe(true);
  });

  test.each([
    ["/a", "/A"],
    ["/a", "/a/b"],
    ["/a", "//a"],
    ["/a", "/a//"],
    ["/a/:id", "/a"],
    ["/a/:id", "/a//"],
    ["/a/:id/b", "/a//b"],
    ["/a/*", "/ab"],
    ["/a/b", "/a%2Fb"],
    ["/%25zz", "/%zz"],
    ["/*", "/a/../b"],
    ["/*", "/a/%2E%2e"],
    ["/*", "/."],
    ["/*", ""],
    ["/*", "a"],
  ])("%s does not fit %s", (path, given) => {
    expect(matches({ path }, asked(given))).toBe(false);
  });

  test("gives its parameters decoded once, and as they came where that cannot be", () => {
    const table = only({ path: "/a/:one/:two/*" });
    const found = table.find(asked("/a/x%2520%2Fy/%zz/rest"));
    expect(found?.params).toEqual({ one: "x%20/y", two: "%zz" });
  });

  test("of more segments than patterns may have fits what goes on with anything", () => {
    const long = `/a${"/b".repeat(100_000)}`;
    expect(matches({ path: "/a/*" }, asked(long))).toBe(true);
    expect(matches({ path: `/a${"/b".repeat(31)}` }, asked(long))).toBe(false);
  });
});

describe("a condition", () => {
  test.each<[string, WrittenMatch, RouteQuestion]>([
    [
      "a host, whatever its case and port",
      { host: "Shop.Example.com" },
      asked("/", {}, { url: "https://shop.example.com:8443/" }),
    ],
    ["a host with its final dot", { host: "a.example" }, asked("/", {}, { url: "https://a.example./" })],
    ["an IPv6 address", { host: "[::1]" }, asked("/", {}, { url: "http://[::1]:80/" })],
    ["a domain, for hosts at any depth", { host: "*.com" }, asked("/")],
    ["methods", { methods: ["PUT", "GET"] }, asked("/")],
    ["a header by its whole value", { headers: { "X-A": "1" } }, asked("/", { "x-a": "1" })],
    ["a header that is there", { headers: { "x-a": { present: true } } }, asked("/", { "x-a": "" })],
    ["a header that is not there", { headers: { "x-a": { present: false } } }, asked("/")],
    ["a header that is not this, or is not there", { headers: { "x-a": { not: "1" } } }, asked("/")],
    [
      "a query by its first value",
      { query: { v: "1 é" } },
      asked("/", {}, { url: "https://x/?v=1+%C3%A9&v=2" }),
    ],
    [
      "a cookie by its first value",
      { cookies: { c: { prefix: "v1." } } },
      asked("/", { cookie: "a=b;c=v1.x=y; c=2" }),
    ],
    [
      "a body's type",
      { contentType: "application/json" },
      asked("/", { "content-type": "Application/JSON; charset=utf-8" }),
    ],
    [
      "a body's type with its parameters",
      { contentType: ["a/b", "application/x;version=2"] },
      asked("/", { "content-type": 'application/x; a="1,;2"; version="2"' }),
    ],
    ["a body's main type", { contentType: "image/*" }, asked("/", { "content-type": "image/png" })],
    [
      "what is accepted by name",
      { accept: "text/event-stream" },
      asked("/", { accept: "text/html;q=0.5, text/event-stream" }),
    ],
  ])("asks for %s", (_, match, question) => {
    expect(matches(match, question)).toBe(true);
  });

  test.each<[string, WrittenMatch, RouteQuestion]>([
    ["a domain by itself", { host: "*.shop.example.com" }, asked("/")],
    ["a name that only ends alike", { host: "*.ple.com" }, asked("/")],
    [
      "a host that is longer than one may be",
      { host: "*.example.com" },
      asked("/", {}, { url: `https://${"a.".repeat(130)}example.com/` }),
    ],
    ["HEAD for POST", { methods: ["POST"] }, asked("/", {}, { method: "HEAD" })],
    ["GET for HEAD", { methods: ["HEAD"] }, asked("/")],
    ["another header value", { headers: { "x-a": "1" } }, asked("/", { "x-a": "1, 1" })],
    ["a value that is this", { headers: { "x-a": { not: "1" } } }, asked("/", { "x-a": "1" })],
    ["a second query value", { query: { v: "2" } }, asked("/", {}, { url: "https://x/?v=1&v=2" })],
    ["a query behind a fragment", { query: { v: "2" } }, asked("/", {}, { url: "https://x/#?v=2" })],
    [
      "a body's type without the parameter",
      { contentType: "a/b;version=2" },
      asked("/", { "content-type": "a/b" }),
    ],
    ["two types of one body", { contentType: "a/b" }, asked("/", { "content-type": "a/b, a/b" })],
    ["no type", { contentType: "a/b" }, asked("/")],
    ["anything at all", { accept: "text/html" }, asked("/", { accept: "*/*" })],
    ["what is refused", { accept: "text/html" }, asked("/", { accept: "text/html;q=0.0" })],
  ])("is not fulfilled by %s", (_, match, question) => {
    expect(matches(match, question)).toBe(false);
  });

  test("RFC 9110 §9.3.2: a route for GET takes HEAD, which asks for the same without its body", () => {
    expect(matches({ methods: ["POST", "GET"] }, asked("/", {}, { method: "HEAD" }))).toBe(true);
  });

  test("that nobody has is not looked at", () => {
    const unread = (): never => {
      throw new Error("read");
    };
    const question = {
      method: "GET",
      path: "/a",
      get url() {
        return unread();
      },
      get headers() {
        return unread();
      },
    };
    expect(only({ path: "/a", methods: ["GET"] }).find(question)?.route.name).toBe("only");
  });

  test("of one request says nothing about the next", () => {
    const table = only({ cookies: { c: "1" }, query: { v: "1" } });
    const yes = asked("/", { cookie: "c=1" }, { url: "https://x/?v=1" });
    expect(table.find(yes)).toBeDefined();
    expect(table.find(asked("/"))).toBeUndefined();
    expect(table.find(yes)).toBeDefined();
  });
});

describe("of two routes that match", () => {
  test.each<[string, WrittenMatch & { priority?: number }, WrittenMatch & { priority?: number }]>([
    ["higher priority", { priority: 1 }, { host: "shop.example.com", path: "/a/b" }],
    ["a host before a domain", { host: "shop.example.com" }, { host: "*.example.com", path: "/a/b" }],
    ["a longer domain", { host: "*.example.com" }, { host: "*.com", path: "/a/b" }],
    ["a domain before none", { host: "*.com" }, { path: "/a/b" }],
    ["a literal before a parameter", { path: "/a/*" }, { path: "/:x/b", methods: ["GET"] }],
    ["a parameter before the rest", { path: "/a/:x" }, { path: "/a/*", methods: ["GET"] }],
    ["an end before the rest", { path: "/a/b" }, { path: "/a/b/*", methods: ["GET"] }],
    ["the longer one", { path: "/a/b/*" }, { path: "/a/*", methods: ["GET"] }],
    [
      "more conditions",
      { path: "/a/b", methods: ["GET"], headers: { h: { present: false } } },
      { path: "/a/b", methods: ["GET"] },
    ],
  ])("%s comes first, whatever else there is", (_, stronger, weaker) => {
    const route = ({ priority = 0, ...match }: WrittenMatch & { priority?: number }): WrittenRoute => ({
      match,
      priority,
      to,
    });
    const question = asked("/a/b");
    expect(compileRoutes({ z: route(stronger), a: route(weaker) }, middle).find(question)?.route.name).toBe(
      "z",
    );
    expect(compileRoutes({ a: route(weaker) }, middle).find(question)?.route.name).toBe("a");
  });

  test.each([3, 30])(
    "what names HEAD has it before what takes it along with GET, among %i routes",
    (count) => {
      const others = Array.from({ length: count }, (_, i) => [
        `o${i}`,
        { match: { path: "/a", methods: ["PUT"] }, to },
      ]);
      const table = compileRoutes(
        {
          a: { match: { path: "/a", methods: ["GET"] }, to },
          z: { match: { path: "/a", methods: ["HEAD"] }, to },
          ...Object.fromEntries(others),
        },
        middle,
      );
      const found = (method: string) => table.find(asked("/a", {}, { method }))?.route.name;
      expect([found("GET"), found("HEAD")]).toEqual(["a", "z"]);
    },
  );

  test("that differ in nothing else the name decides", () => {
    const same = { match: { path: "/a" }, to };
    expect(compileRoutes({ b: same, B: same, a: same }, middle).find(asked("/a"))?.route.name).toBe("B");
  });
});

describe("a group's weights", () => {
  const route = (share: number): WrittenRoute => ({
    match: { path: "/a", weight: { group: "g", share } },
    to,
  });

  test("draw one route for a request, as often as its share says", () => {
    const counts: Record<string, number> = {};
    for (let draw = 0; draw < 100; draw++) {
      const table = compileRoutes({ blue: route(90), green: route(10), off: route(0) }, () => draw / 100);
      const name = table.find(asked("/a"))?.route.name ?? "";
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({ blue: 90, green: 10 });
  });

  test("draw once for a request, and anew for the next", () => {
    let draws = 0;
    const table = compileRoutes({ a: route(1), b: route(1), c: route(1) }, () => (draws++ % 2 ? 0.9 : 0));
    expect([1, 2, 3].map(() => table.find(asked("/a"))?.route.name)).toEqual(["a", "c", "a"]);
    expect(draws).toBe(3);
  });

  test("leave a request to other routes when the one that is drawn does not match it", () => {
    const elsewhere: WrittenRoute = { match: { path: "/b", weight: { group: "g", share: 1 } }, to };
    const table = compileRoutes({ one: route(1), other: elsewhere, last: { match: {}, to } }, () => 0.9);
    expect(table.find(asked("/a"))?.route.name).toBe("last");
  });
});

describe("10,000 routes cost no more than 10", () => {
  const named = (index: number) => `r${index}`.padEnd(6, "-");
  const shapes: readonly [string, (index: number) => WrittenMatch, (index: number) => RouteQuestion][] = [
    ["literal paths", (i) => ({ path: `/s${i}/v1/x` }), (i) => asked(`/s${i}/v1/x`)],
    ["parameters", (i) => ({ path: `/s${i}/:id/x` }), (i) => asked(`/s${i}/1/x`)],
    ["deep literals behind a parameter", (i) => ({ path: `/:a/:b/s${i}/*` }), (i) => asked(`/1/2/s${i}/3`)],
    [
      "one path, hosts",
      (i) => ({ path: "/a", host: `h${i}.example` }),
      (i) => asked("/a", {}, { url: `https://h${i}.example/a` }),
    ],
    [
      "one path, domains",
      (i) => ({ path: "/a", host: `*.h${i}.example` }),
      (i) => asked("/a", {}, { url: `https://w.h${i}.example/a` }),
    ],
    [
      "one path, methods and headers",
      (i) => ({ path: "/a", methods: ["GET", "PUT"], headers: { t: `${i}` } }),
      (i) => asked("/a", { t: `${i}` }),
    ],
    [
      "one path, two headers",
      (i) => ({ path: "/a", headers: { region: `${i % 3}`, t: `${i}` } }),
      (i) => asked("/a", { region: `${i % 3}`, t: `${i}` }),
    ],
    [
      "one path, names of headers",
      (i) => ({ path: "/a", headers: { [`x-${i}`]: "1" } }),
      (i) => asked("/a", { [`x-${i}`]: "1" }),
    ],
    [
      "one path, names of parameters",
      (i) => ({ path: "/a", query: { [`x-${i}`]: "1" } }),
      (i) => asked("/a", {}, { url: `https://x/a?x-${i}=1` }),
    ],
    [
      "one path, cookies",
      (i) => ({ path: "/a", cookies: { t: `${i}` } }),
      (i) => asked("/a", { cookie: `t=${i}` }),
    ],
    ["one path, one group", () => ({ path: "/a", weight: { group: "g", share: 1 } }), () => asked("/a")],
    [
      "one path, groups of two",
      (i) => ({ path: "/a", weight: { group: `${i >> 1}`, share: 1 } }),
      () => asked("/a"),
    ],
    [
      "one path, groups by header",
      (i) => ({ path: "/a", headers: { t: `${i >> 1}` }, weight: { group: `${i >> 1}`, share: i & 1 } }),
      (i) => asked("/a", { t: `${i >> 1}` }),
    ],
    ["all the same", () => ({ path: "/a" }), () => asked("/a")],
    [
      "nothing that matches",
      (i) => ({ path: "/a", host: `h${i}`, headers: { t: `${i}` } }),
      () => asked("/a"),
    ],
  ];

  const most = (
    size: number,
    of: (index: number) => WrittenMatch,
    question: (index: number) => RouteQuestion,
  ) => {
    const all = Array.from({ length: size }, (_, index) => [named(index), { match: of(index), to }] as const);
    const table = compileRoutes(Object.fromEntries(all), middle);
    const visited = [0, 1, size >> 1, size - 1].map((index) => {
      table.find(question(index));
      return table.visited();
    });
    return Math.max(...visited);
  };

  test.each(shapes)("of %s", (_, of, question) => {
    const few = most(10, of, question);
    expect(few).toBeLessThanOrEqual(12);
    // With few names each is asked for, with many those that the request has: that may be cheaper, never dearer.
    expect(most(10_000, of, question)).toBeLessThanOrEqual(few);
  });

  test("of the same headers, in whatever order each names them", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const headers = (index: number) => {
      const turned = [...names.slice(index % 6), ...names.slice(0, index % 6)];
      return Object.fromEntries(turned.map((name) => [name, name === "f" ? `${index}` : "1"]));
    };
    const question = (index: number) => asked("/a", headers(index));
    const few = most(10, (index) => ({ path: "/a", headers: headers(index) }), question);
    expect(most(1_000, (index) => ({ path: "/a", headers: headers(index) }), question)).toBeLessThanOrEqual(
      few,
    );
    expect(few).toBeLessThan(30);
  });

  test("of mixtures of literals and parameters that all match: what cannot win is not looked at", () => {
    const mixture = (index: number) => ({
      path: Array.from({ length: 13 }, (_, at) => ((index >> at) & 1 ? "/a" : `/:p${at}`)).join(""),
    });
    expect(most(2 ** 13, mixture, () => asked("/a".repeat(13)))).toBeLessThan(20);
  });

  test("of one condition that cannot be looked up: the first that holds is the last that is tried", () => {
    const match = (index: number) => ({ path: index % 2 ? "/a" : "/:x", headers: { t: { present: false } } });
    expect(most(1_000, match, () => asked("/a"))).toBeLessThan(10);
  });
});
