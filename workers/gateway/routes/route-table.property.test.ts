/** The table answers as trying every route does, for any routes and any request. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { naiveFind } from "./naive-routes.ts";
import { routeSchema, type WrittenMatch, type WrittenRoute } from "./route-schema.ts";
import { compileRoutes, type RouteTable } from "./route-table.ts";

// Few values each, so that routes overlap and requests meet them.
const literal = fc.constantFrom("a", "b", "%61", "c%2Fd", "é", "%C3%A9", ":x", ":y");
const pattern = fc
  .tuple(fc.uniqueArray(literal, { maxLength: 3 }), fc.constantFrom("", "", "/", "/*"))
  .map(
    ([segments, end]) =>
      (segments.length === 0 && end !== "/*" ? "/" : "") +
      segments.map((segment) => `/${segment}`).join("") +
      (segments.length === 0 && end === "/" ? "" : end),
  );
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string>("1", "1", "2", "3") },
  fc.constantFrom({ present: true }, { present: false }, { prefix: "1" }, { not: "1" }),
);
const some = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const values = (...names: string[]) => some(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2 }));
const type = fc.constantFrom("text/html", "application/json", "text/plain");
const weight = fc.record({ group: fc.constantFrom("g", "h"), share: fc.constantFrom(0, 1, 3) });
const NAMES = Array.from({ length: 12 }, (_, index) => `x-${index}`);

const match: fc.Arbitrary<WrittenMatch> = fc.record({
  path: some(fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 3 }))),
  host: some(fc.constantFrom("a.example.com", "B.example.com", "*.example.com", "*.a.example.com", "*.com")),
  methods: some(fc.array(fc.constantFrom("GET", "POST", "PUT", "HEAD"), { minLength: 1, maxLength: 3 })),
  headers: fc.oneof(values("x-a", "X-B"), values(...NAMES)),
  query: values("q", "r"),
  cookies: values("c", "d"),
  contentType: some(fc.oneof(type, fc.array(type, { minLength: 1, maxLength: 2 }))),
  accept: some(type),
  weight: some(weight),
});
const route: fc.Arbitrary<WrittenRoute> = fc.record({
  match,
  priority: some(fc.integer({ min: -1, max: 1 })),
  to: fc.constant({ service: "shop" }),
});
const name = fc.stringMatching(/^[a-d]{1,3}$/);
const routes = fc.dictionary(name, route, { maxKeys: 40 });

const path = fc
  .array(fc.constantFrom("a", "b", "c%2Fd", "%C3%A9", "%63%2fd", "%zz", "", "..x", "%2561"), { maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`);
const header = fc.dictionary(fc.constantFrom("x-a", "x-b", ...NAMES), fc.constantFrom("1", "1", "2", "12"), {
  maxKeys: 6,
});
const pairs = (...names: string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom("1", "2", "12")), { maxLength: 3 });
const question = fc
  .record({
    method: fc.constantFrom("GET", "POST", "HEAD"),
    path,
    host: fc.constantFrom("a.example.com", "b.example.com:8080", "x.a.example.com", "example.com", "com"),
    header,
    query: pairs("q", "r"),
    cookies: pairs("c", "d"),
    type: some(type),
    accept: some(fc.constantFrom("text/html", "*/*", "application/json, text/plain")),
  })
  .map(({ method, path, host, header, query, cookies, type, accept }) => ({
    method,
    path,
    url: `https://${host}${path}?${query.map(([key, each]) => `${key}=${each}`).join("&")}`,
    headers: new Headers({
      ...header,
      ...(cookies.length > 0 ? { cookie: cookies.map((each) => each.join("=")).join("; ") } : {}),
      ...(type === undefined ? {} : { "content-type": type }),
      ...(accept === undefined ? {} : { accept }),
    }),
  }));

// Where paths tell nothing, all depends on the other conditions.
const crowded = fc
  .dictionary(name, route, { minKeys: 10, maxKeys: 40 })
  .map((written) =>
    Object.fromEntries(
      Object.entries(written).map(([key, each]) => [
        key,
        { ...each, match: { ...each.match, path: "/a/*" } },
      ]),
    ),
  );
const crowdedQuestion = question.map((asked) => ({ ...asked, path: "/a/b" }));

const schema = routeSchema(z.strictObject({}));
const withoutUndefined = (written: WrittenRoute): WrittenRoute => JSON.parse(JSON.stringify(written));

describe("a table of any routes", () => {
  test.each([
    ["of many paths", routes, question],
    ["all of one path", crowded, crowdedQuestion],
  ])(
    "%s finds for any request the one that trying every route finds, with the same parameters",
    (_, written, asked) => {
      let matched = 0;
      fc.assert(
        fc.property(
          written,
          fc.array(asked, { minLength: 1, maxLength: 12 }),
          fc.double({ min: 0, max: 0.999, noNaN: true }),
          (written, questions, point) => {
            const table = compileRoutes(written, () => point);
            for (const each of questions) {
              const found = table.find(each);
              const expected = naiveFind(written, each, point);
              expect(found && { name: found.route.name, params: found.params }).toEqual(expected);
              if (expected) matched++;
            }
          },
        ),
        { numRuns: 800 },
      );
      expect(matched).toBeGreaterThan(1_000);
    },
  );

  test("made of another one by what has changed finds what one made anew finds, and leaves the other as it is", () => {
    let takenOver = 0;
    const step = fc.record({
      removed: fc.array(name, { maxLength: 2 }),
      added: fc.dictionary(name, route, { maxKeys: 3 }),
    });
    fc.assert(
      fc.property(
        fc.oneof(routes, crowded),
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.array(fc.oneof(question, crowdedQuestion), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (first, steps, questions, point) => {
          const answers = (table: RouteTable) =>
            questions.map((each) => {
              const found = table.find(each);
              return found && { name: found.route.name, params: found.params };
            });
          let written: Record<string, WrittenRoute> = first;
          let table = compileRoutes(written, () => point);
          for (const { removed, added } of steps) {
            const before = answers(table);
            const next = Object.fromEntries(
              Object.entries({ ...written, ...added }).filter(([each]) => !removed.includes(each)),
            );
            const changed = table.changed(next);
            expect(answers(changed)).toEqual(answers(compileRoutes(next, () => point)));
            expect(answers(table)).toEqual(before);
            expect(answers(table.changed({ ...written }))).toEqual(before);
            expect(answers(table.changed(first))).toEqual(answers(compileRoutes(first, () => point)));
            if (Object.keys(added).length * 5 < Object.keys(next).length) takenOver++;
            written = next;
            table = changed;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(takenOver).toBeGreaterThan(100);
  });

  test("stays right however often routes come between two others", () => {
    const at = (index: number): WrittenRoute => ({
      match: { path: "/a/*" },
      priority: index,
      to: { service: "s" },
    });
    let written: Record<string, WrittenRoute> = Object.fromEntries(
      [0, 1_000].map((index) => [`${index}`, at(index)]),
    );
    for (let index = 0; index < 10; index++)
      written[`other-${index}`] = { ...at(-1), match: { path: `/b/${index}` } };
    let table = compileRoutes(written, () => 0);
    for (let index = 199; index > 0; index--) {
      written = { ...written, [`${index}`]: at(index) };
      table = table.changed(written);
    }
    for (let index = 1_000; index > 0; index = index === 1_000 ? 199 : index - 1) {
      expect(table.find({ ...NO_MATCH, path: "/a/b" })?.route.name).toBe(`${index}`);
      const { [`${index}`]: _, ...others } = written;
      written = others;
      table = table.changed(written);
    }
  });

  test("finds the same in whatever order the routes are written", () => {
    fc.assert(
      fc.property(routes, question, (written, asked) => {
        const backwards = Object.fromEntries(Object.entries(written).reverse());
        const one = compileRoutes(written, () => 0.3).find(asked);
        expect(compileRoutes(backwards, () => 0.3).find(asked)?.route.name).toBe(one?.route.name);
      }),
      { numRuns: 200 },
    );
  });

  test("is of routes that the schema takes", () => {
    fc.assert(
      fc.property(route, (written) => {
        expect(schema.safeParse(withoutUndefined(written)).error?.issues ?? []).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("visits no more than its nodes and entries, whatever the path", () => {
    fc.assert(
      fc.property(fc.array(question, { maxLength: 5 }), (questions) => {
        const table = compileRoutes(ambiguous(8), () => 0);
        for (const asked of [...questions, { ...NO_MATCH, path: "/a/a/a/a/a/a/a/a" }]) {
          table.find(asked);
          expect(table.visited()).toBeLessThan(2 ** 10);
        }
      }),
      { numRuns: 20 },
    );
  });
});

const NO_MATCH = { method: "GET", path: "/", url: "http://x/", headers: new Headers() };

/** Every mixture of `a` and a parameter, all of which match one path, and none its request. */
const ambiguous = (depth: number): Record<string, WrittenRoute> =>
  Object.fromEntries(
    Array.from({ length: 2 ** depth }, (_, mixture) => {
      const segments = Array.from({ length: depth }, (_, at) => ((mixture >> at) & 1 ? "/a" : `/:p${at}`));
      return [`${mixture}`, { match: { path: segments.join(""), methods: ["PUT"] }, to: { service: "s" } }];
    }),
  );
