import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { persistentMap } from "./persistent-map.ts";

const changes = fc.array(
  fc.record({ key: fc.constantFrom("a", "b", "c", "aa", "ab", "x1", "x2", ""), value: fc.option(fc.nat(9)) }),
  { maxLength: 60 },
);

const agreesWithMap = (hashOf?: (key: string) => number) =>
  fc.property(changes, (steps) => {
    const model = new Map<string, number>();
    let map = persistentMap<number>(hashOf);
    for (const { key, value } of steps) {
      if (value === null) model.delete(key);
      else model.set(key, value);
      map = value === null ? map.delete(key) : map.set(key, value);
      expect(map.size).toBe(model.size);
      expect(map.get(key)).toBe(model.get(key));
    }
    expect(new Map(map.entries())).toEqual(model);
  });

describe("persistentMap", () => {
  it("holds after any changes what a Map holds", () => fc.assert(agreesWithMap()));

  it("keeps keys apart whose hashes collide, wholly or in all but the last bits", () => {
    fc.assert(agreesWithMap(() => 7));
    fc.assert(agreesWithMap((key) => (key.length === 2 ? 0x80000000 : 0)));
  });

  it("leaves the former map as it was", () => {
    const one = persistentMap<number>().set("a", 1);
    one.set("a", 2);
    one.set("b", 3);
    one.delete("a");
    expect([...one.entries()]).toEqual([["a", 1]]);
  });

  it("is the very same map when there was nothing to delete", () => {
    const one = persistentMap<number>().set("a", 1);
    expect(one.delete("b")).toBe(one);
  });
});
