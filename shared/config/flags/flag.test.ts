import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flagSchema, flagTableSchema } from "./flag.ts";

const ON_OFF = { enabled: true, variants: { on: true, off: false }, off: "off", rules: [] };

describe("a flag", () => {
  test.each([
    [true, { ...ON_OFF, serve: "on" }],
    [false, { ...ON_OFF, serve: "off" }],
    [{ percentage: 25 }, { ...ON_OFF, serve: { on: 25, off: 75 } }],
    [{ percentage: 33.3 }, { ...ON_OFF, serve: { on: 33.3, off: 66.7 } }],
    [{}, { ...ON_OFF, serve: "on" }],
  ])("written as %j has a full form, which stays the same when it is read again", (written, full) => {
    const read = flagTableSchema.parse({ "checkout.v2": written });
    expect(read).toEqual({ "checkout.v2": full });
    expect(flagTableSchema.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
  });

  test("keeps its shares in one order, however it was written", () => {
    const variants = { a: "1", b: "2", c: "3" };
    const one = flagSchema.parse({ variants, off: "a", serve: { c: 10, a: 50, b: 40 } });
    const two = flagSchema.parse({ variants, off: "a", serve: { b: 40, c: 10, a: 50 } });
    expect(JSON.stringify(one)).toBe(JSON.stringify(two));
  });

  test.each<[unknown, string, string]>([
    [{ serve: "blue" }, "serve", 'expected one of the variants, not "blue"'],
    [{ serve: { on: 50, blue: 50 } }, "serve.blue", 'expected one of the variants, not "blue"'],
    [{ off: "never" }, "off", 'expected one of the variants, not "never"'],
    [{ off: "toString" }, "off", 'expected one of the variants, not "toString"'],
    [{ variants: { a: 1 }, serve: "a" }, "off", 'expected one of the variants, not "off"'],
    [
      { rules: [{ if: [{ attribute: "a", exists: true }], serve: "blue" }] },
      "rules.0.serve",
      'expected one of the variants, not "blue"',
    ],
    [{ variants: { on: true, off: "no" } }, "variants", "expected values of one type"],
    [{ percentage: 101 }, "percentage", "expected a number from 0 to 100"],
    [{ percentage: "25" }, "percentage", "expected a number from 0 to 100"],
    [
      { rules: [{ if: [{ attribute: "a" }], serve: "on" }] },
      "rules.0.if.0",
      'expected an operator, as in "in"',
    ],
  ])("that does not hold together (%j) is refused with the place", (written, path, message) => {
    const { error } = flagSchema.safeParse(written);
    expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
    expect(error?.issues[0]?.message).toContain(message);
  });

  test.each([
    [{ serve: { on: 50, off: 49 } }],
    [{ percentage: 5, serve: "on" }],
    [{ serv: "on" }],
    ["on"],
    [null],
    [25],
    [{ rules: [{ if: [], serve: "on" }] }],
  ])("as %j is refused", (written) => {
    expect(flagSchema.safeParse(written).success).toBe(false);
  });

  test("never makes reading throw, whatever was written", () => {
    fc.assert(fc.property(fc.jsonValue(), (written) => void flagTableSchema.safeParse({ a: written })));
  });
});
