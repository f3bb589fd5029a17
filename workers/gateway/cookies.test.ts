import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { cookieOf, cookiesWithout } from "./cookies.ts";

const TOKEN = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const VALUE = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,40}$/);

describe("cookieOf", () => {
  test("RFC 6265bis §5.8.3: any cookie of a header that a browser wrote is found", () => {
    const cookies = fc.uniqueArray(fc.tuple(TOKEN, VALUE), { maxLength: 20, selector: ([name]) => name });
    fc.assert(
      fc.property(cookies, (pairs) => {
        const header = pairs.map(([name, value]) => `${name}=${value}`).join("; ");
        for (const [name, value] of pairs) expect(cookieOf(header, name)).toBe(value);
        expect(cookieOf(header, "none of them")).toBeUndefined();
      }),
    );
  });

  test.each([
    ["", "a", undefined],
    ["a", "a", undefined],
    ["a=", "a", ""],
    ["=a", "a", undefined],
    ["ba=1", "a", undefined],
    ["ab=1", "a", undefined],
    ["b=a=1", "a", undefined],
    ["b=;a=1", "a", "1"],
    [";;; ;a=1;;", "a", "1"],
    [" \t a=1 \t ; b=2", "a", "1"],
    ["a=1; a=2", "a", "1"],
    ["a=b=c", "a", "b=c"],
    ['a="quoted"', "a", '"quoted"'],
    ["A=1", "a", undefined],
    ["$&=1", "$&", "1"],
  ])("reads %j for %j as %j", (header, name, value) => {
    expect(cookieOf(header, name)).toBe(value);
  });

  test("looks at a bounded part of a header, and at no cookie that ends beyond it", () => {
    const bound = LIMITS.cookieHeaderCharacters;
    const before = `${"x".repeat(bound - 4)};`;
    expect(cookieOf(`${before}a=1`, "a")).toBe("1");
    expect(cookieOf(`${before}a=12`, "a")).toBeUndefined();
    expect(cookieOf(`${"x=1;".repeat(bound)}a=1`, "a")).toBeUndefined();
    expect(cookieOf(`a=${"1".repeat(bound * 10)}`, "a")).toBeUndefined();
  });

  test("never fails and never finds what does not stand there, whatever is sent", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), TOKEN, (header, name) => {
        const value = cookieOf(header, name);
        if (value !== undefined) expect(header).toContain(`${name}=${value}`);
      }),
    );
  });
});

describe("cookiesWithout", () => {
  test("leaves all others as they are, in order", () => {
    expect(cookiesWithout("a=1; b=2;c=3 ; b=4", "b")).toBe("a=1; c=3");
    expect(cookiesWithout("a=1", "b")).toBe("a=1");
    expect(cookiesWithout("b=1; ;b=2", "b")).toBeUndefined();
  });

  test("leaves none of that name, whatever is sent", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", "=", ";", " ", "\t") }), (header) => {
        expect(cookieOf(cookiesWithout(header, "a") ?? "", "a")).toBeUndefined();
      }),
    );
  });
});
