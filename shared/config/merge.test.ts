import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { diffOf } from "./diff.ts";
import { isBranch, type Layer, mergeDocuments } from "./merge.ts";
import { dottedPath } from "./path.ts";

const key = fc.constantFrom(
  "a",
  "b",
  "c",
  "a.b",
  "\\",
  "",
  "__proto__",
  "constructor",
  "$secret",
  "toString",
);
const { content } = fc.letrec<{ value: JsonValue; content: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.integer(), fc.constant(null), fc.string({ maxLength: 2 }), fc.constant({}), fc.boolean()),
    fc.array(tie("value"), { maxLength: 2 }),
    tie("content"),
  ),
  content: fc
    .array(fc.tuple(key, tie("value")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as JsonObject),
}));

const layer = (content: JsonObject, document = "a/b", revision = 1): Layer => ({
  document,
  revision,
  content,
});
const merged = (...contents: JsonObject[]) => mergeDocuments(contents.map((it) => layer(it))).value;

const leaves = (branch: JsonObject, keys: string[] = []): [string, JsonValue][] =>
  Object.entries(branch).flatMap(([field, value]) =>
    isBranch(value) && Object.keys(value).length > 0
      ? leaves(value, [...keys, field])
      : [[dottedPath([...keys, field]), value] as [string, JsonValue]],
  );

describe("merging documents", () => {
  test("in steps gives what merging all at once gives", () => {
    fc.assert(
      fc.property(content, content, content, (a, b, c) => {
        expect(merged(merged(a, b), c)).toEqual(merged(a, b, c));
      }),
    );
  });

  test("lets the later layer win everywhere that it says something", () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const all = new Map(leaves(merged(a, b)));
        for (const [path, value] of leaves(b)) {
          // An empty object adds nothing to an object that stands there.
          if (isBranch(value)) continue;
          expect(all.has(path)).toBe(true);
          expect(all.get(path)).toEqual(value);
        }
        expect(merged(a, a)).toEqual(a);
        expect(merged(a, {})).toEqual(a);
        expect(merged({}, a)).toEqual(a);
      }),
    );
  });

  test("names the origin of exactly the leaves, and it is a layer that has that value there", () => {
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 4 }), (contents) => {
        const layers = contents.map((content, index) => layer(content, `d${index}/x`, index));
        const { value, origins } = mergeDocuments(layers);
        const found = leaves(value);
        expect(Object.keys(origins).sort()).toEqual(found.map(([path]) => path).sort());
        for (const [path, leaf] of found) {
          const origin = Object.getOwnPropertyDescriptor(origins, path)?.value as { revision: number };
          const theirs = new Map(leaves(contents[origin.revision] as JsonObject)).get(path);
          expect(theirs).toEqual(leaf);
          for (const later of contents.slice(origin.revision + 1)) {
            expect(new Map(leaves(later)).has(path)).toBe(false);
          }
        }
      }),
    );
  });

  test("keeps every key harmless: no prototype is reached", () => {
    const evil = JSON.parse(
      '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": 1}}}',
    );
    const { value } = mergeDocuments([layer({}), layer(evil), layer(evil)]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
  });

  test("replaces arrays, null and secrets whole", () => {
    const secret = (key: string) => ({ $secret: { key } });
    expect(merged({ a: [1, 2], b: { c: 1 }, s: secret("1") }, { a: [3], b: null, s: secret("2") })).toEqual({
      a: [3],
      b: null,
      s: secret("2"),
    });
    expect(merged({ b: null }, { b: { c: 1 } })).toEqual({ b: { c: 1 } });
  });

  test("takes of a layer only the top-level fields that it is asked to", () => {
    const { value, origins } = mergeDocuments([
      { ...layer({ a: { x: 1 }, b: 2 }), fields: new Set(["a"]) },
      layer({ c: 3 }, "orders/default", 7),
    ]);
    expect(value).toEqual({ a: { x: 1 }, c: 3 });
    expect(origins).toEqual({
      "a.x": { document: "a/b", revision: 1 },
      c: { document: "orders/default", revision: 7 },
    });
  });
});

describe("the changes between two contents", () => {
  test("are none between equals, and name each leaf that differs, sorted", () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        expect(diffOf(a, structuredClone(a))).toEqual([]);
        const paths = diffOf(a, b).map(({ path }) => path);
        expect(paths).toEqual([...paths].sort());
        const old = new Map(leaves(a));
        const now = new Map(leaves(b));
        for (const { path, before, after } of diffOf(a, b)) {
          expect(before).toEqual(old.get(path));
          expect(after).toEqual(now.get(path));
        }
      }),
    );
  });

  test("tell what was added, changed and removed", () => {
    expect(diffOf({ a: { b: 1, c: 2 }, gone: null }, { a: { b: 1, c: 3, "d.e": [] } })).toEqual([
      { path: "a.c", before: 2, after: 3 },
      { path: "a.d\\.e", after: [] },
      { path: "gone", before: null },
    ]);
  });
});
