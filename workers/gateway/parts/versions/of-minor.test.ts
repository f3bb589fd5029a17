import fc from "fast-check";
import { expect, test } from "vitest";
import { wholeOf } from "#shared/resilience/balance/subset.ts";
import { noSuchMinor, ofMinor } from "./of-minor.ts";

const targetsOf = (...versions: string[]) => versions.map((version) => ({ version }));

test("only instances of the minor asked for, or of a newer one, get the request", () => {
  const targets = targetsOf("1.2.0", "1.4.1", "1.10.0-rc.1");
  const versions = (minor: number) => ofMinor(targets, minor).map(({ version }) => version);
  expect(versions(3)).toEqual(["1.4.1", "1.10.0-rc.1"]);
  expect(versions(5)).toEqual(["1.10.0-rc.1"]);
  expect(versions(11)).toEqual([]);
});

test("where all are new enough the list stays what it is, and nothing is learned anew", () => {
  const targets = targetsOf("1.2.0", "1.4.1");
  expect(ofMinor(targets, 0)).toBe(targets);
  expect(ofMinor(targets, 2)).toBe(targets);
});

test("lists are made once for each minor that there is, whatever is asked for", () => {
  const targets = targetsOf("1.2.0", "1.4.1", "1.4.2");
  const made = new Set(Array.from({ length: 100 }, (_, minor) => ofMinor(targets, minor)));
  expect(made.size).toBe(3);
  for (const some of made) if (some.length > 0) expect(wholeOf(some)).toBe(targets);
});

test("who asks for more than there is learns what there is", () => {
  const targets = targetsOf("1.4.1", "1.2.0");
  expect(noSuchMinor(targets, { major: 1, minor: 7 })).toEqual({
    code: "not_offered",
    asked: "1.7",
    offered: ["1.2", "1.4"],
  });
});

test("nobody new enough is left out, and nobody older is chosen", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 6 })), fc.array(fc.nat({ max: 8 })), (minors, asked) => {
      const targets = targetsOf(...minors.map((minor) => `1.${minor}.0`));
      for (const minor of asked)
        expect(ofMinor(targets, minor)).toEqual(targets.filter((_, index) => (minors[index] ?? 0) >= minor));
    }),
  );
});
