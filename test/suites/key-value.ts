/** What every KeyValue adapter must do. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KeyValue } from "#shared/storage/key-value.ts";

export interface KeyValueUnderTest {
  readonly store: KeyValue;
  /** A second way to the same data, as another process or isolate has. */
  readonly other: KeyValue;
  /** Puts "x" under many keys, by a way of its own where the store's would take long. */
  fill(keys: readonly string[][]): Promise<void>;
  stop(): Promise<void>;
}

export interface KeyValueSuiteOptions {
  /** Moves the store's clock; absent where the platform keeps its own. */
  readonly advance?: (ms: number) => void;
}

export const describeKeyValue = (
  name: string,
  start: () => Promise<KeyValueUnderTest>,
  { advance }: KeyValueSuiteOptions = {},
): void => {
  describe(`KeyValue: ${name}`, () => {
    let subject: KeyValueUnderTest;
    let store: KeyValue;
    let namespace: string;
    let round = 0;

    beforeAll(async () => {
      subject = await start();
      store = subject.store;
    });
    afterAll(() => subject.stop());
    beforeEach(() => {
      namespace = `test-${round++}`;
    });

    const key = (...parts: string[]) => [namespace, ...parts];
    const keysUnder = async (prefix: readonly string[]) => {
      const keys: string[][] = [];
      for await (const found of store.list(prefix)) keys.push(found);
      return keys;
    };

    test("what was never put is absent", async () => {
      expect(await store.get(key("a"))).toBeUndefined();
    });

    test("what was put is there, for others too, until it is put anew or removed", async () => {
      await store.put(key("a"), "1");
      expect(await store.get(key("a"))).toBe("1");
      expect(await subject.other.get(key("a"))).toBe("1");
      await subject.other.put(key("a"), "2");
      expect(await store.get(key("a"))).toBe("2");
      await store.remove(key("a"));
      expect(await store.get(key("a"))).toBeUndefined();
      expect(await keysUnder(key())).toEqual([]);
    });

    test("removing what is absent is no error", async () => {
      await expect(store.remove(key("never"))).resolves.toBeUndefined();
    });

    test("an empty value is a value", async () => {
      await store.put(key("a"), "");
      expect(await store.get(key("a"))).toBe("");
    });

    test("a list holds the keys under whole parts, and no others", async () => {
      const under = [key("a", "b"), key("a", "b", "c"), key("a", "")];
      const beside = [key("a"), key("ab"), key("a/b"), key("b"), key("a%2Fb"), [`${namespace}x`, "a", "b"]];
      for (const each of [...under, ...beside]) await store.put(each, "x");
      expect((await keysUnder(key("a"))).map(String).sort()).toEqual(under.map(String).sort());
      expect(await keysUnder(key("a", "b"))).toEqual([key("a", "b", "c")]);
      expect(await keysUnder(key("none"))).toEqual([]);
    });

    test("a list of the empty prefix holds everything", async () => {
      await store.put(key("a"), "x");
      expect(await keysUnder([])).toContainEqual(key("a"));
    });

    test("a list goes on after a thousand keys, sorted, each once", async () => {
      const names = Array.from({ length: 1_050 }, (_, index) => String(index).padStart(5, "0"));
      await subject.fill(names.map((part) => key("many", part)).reverse());
      expect((await keysUnder(key("many"))).map((found) => found.at(-1))).toEqual(names);
    });

    test("keys and values of any characters come back as they were, and no key takes another's place", async () => {
      const part = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.toWellFormed());
      const keys = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 3 }), {
        maxLength: 5,
        selector: (parts) => JSON.stringify(parts),
      });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(keys, part, async (all, value) => {
          const place = key("odd", String(run++));
          for (const [index, parts] of all.entries())
            await store.put([...place, ...parts], `${value}${index}`);
          for (const [index, parts] of all.entries()) {
            expect(await store.get([...place, ...parts])).toBe(`${value}${index}`);
          }
          const listed = (await keysUnder(place)).map((found) => JSON.stringify(found.slice(place.length)));
          expect(listed.sort()).toEqual(all.map((parts) => JSON.stringify(parts)).sort());
        }),
        {
          numRuns: 10,
          examples: [
            [[[".", ".."], ["./.."], ["%2E"], ["/"], ["", ""], [""], ["%"]], "\0\ufeff"],
            [[["*"], [">"], ["a b"], ["ключ"], ["😀"], ["__proto__"]], "😀"],
          ],
        },
      );
    });

    test.each([[["."]], [[".."]], [[""]], [["%"]]])("the key %j alone is a key like others", async (odd) => {
      await store.put(odd, "x");
      expect(await store.get(odd)).toBe("x");
      await store.remove(odd);
    });

    test.each([
      ["no parts", []],
      ["more than 512 bytes", ["x".repeat(513)]],
      ["more than 512 bytes once encoded", ["é".repeat(100)]],
      ["half a surrogate pair", ["\ud83d"]],
    ])("a key with %s is refused by every method", async (_, bad) => {
      await expect(store.get(bad)).rejects.toThrow(RangeError);
      await expect(store.put(bad, "x")).rejects.toThrow(RangeError);
      await expect(store.remove(bad)).rejects.toThrow(RangeError);
    });

    test("a key of 512 bytes is taken", async () => {
      const longest = key("x".repeat(511 - namespace.length));
      await store.put(longest, "x");
      expect(await store.get(longest)).toBe("x");
    });

    test.each([59, 0, -1, 60.5, Number.NaN])("a lifetime of %s seconds is refused", async (ttlSeconds) => {
      await expect(store.put(key("a"), "x", { ttlSeconds })).rejects.toThrow(RangeError);
      expect(await store.get(key("a"))).toBeUndefined();
    });

    test("what has a lifetime is there before its end", async () => {
      await store.put(key("a"), "x", { ttlSeconds: 60 });
      expect(await store.get(key("a"))).toBe("x");
      expect(await keysUnder(key())).toEqual([key("a")]);
    });

    if (!advance) {
      process.stdout.write(
        `\n  SKIPPED for ${name}: the end of a lifetime, because the platform keeps its own clock\n\n`,
      );
    }
    test.runIf(advance)("what has a lifetime is gone at its end; put anew without one it stays", async () => {
      await store.put(key("gone"), "x", { ttlSeconds: 60 });
      await store.put(key("kept"), "x", { ttlSeconds: 60 });
      await store.put(key("kept"), "y");
      advance?.(59_999);
      expect(await store.get(key("gone"))).toBe("x");
      advance?.(1);
      expect(await store.get(key("gone"))).toBeUndefined();
      expect(await keysUnder(key())).toEqual([key("kept")]);
    });

    test("of many writers of one key at once one wins, whole; writers of different keys all do", async () => {
      const writers = Array.from({ length: 40 }, (_, index) => (index % 2 ? store : subject.other));
      await Promise.all(writers.map((writer, index) => writer.put(key("one"), `${index}`.repeat(1_000))));
      const value = (await store.get(key("one"))) ?? "";
      expect(writers.map((_, index) => `${index}`.repeat(1_000))).toContain(value);
      await Promise.all(writers.map((writer, index) => writer.put(key("each", `${index}`), "x")));
      expect(await keysUnder(key("each"))).toHaveLength(40);
    });
  });
};
