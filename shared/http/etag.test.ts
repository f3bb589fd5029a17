import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { etagResponse, ifMatchHolds, ifNoneMatchHolds, strongEtag } from "./etag.ts";

describe("If-None-Match", () => {
  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['"b","a"', true],
    ['W/"b" , W/"a"', true],
    [', "a"', true],
    ['"with,comma", "a"', true],
    ["*", true],
    [" * ", true],
    ['"b"', false],
    ['"A"', false],
    ["a", false],
    ['"a', false],
    ['w/"a"', false],
    ['"b" "a"', false],
    ["", false],
    [undefined, false],
    [null, false],
  ])('RFC 9110 §13.1.2: If-None-Match %j holds the tag "a": %s', (header, holds) => {
    expect(ifNoneMatchHolds(header, '"a"')).toBe(holds);
  });

  test("never makes the parser fail or wait, whatever it is", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (header) => void ifNoneMatchHolds(header, '"a"')));
    expect(ifNoneMatchHolds(`${", ".repeat(100_000)}"a"`, '"a"')).toBe(true);
    expect(ifNoneMatchHolds('"'.repeat(100_000), '"a"')).toBe(false);
  });

  test("RFC 9110 §13.1.2: a tag is found wherever it stands in a list", () => {
    const tag = fc.string({ unit: fc.constantFrom("a", "b", ",", " ", "!", "~").filter((c) => c !== " ") });
    fc.assert(
      fc.property(fc.array(tag, { minLength: 1, maxLength: 8 }), fc.nat(), (tags, index) => {
        const wanted = `"${tags[index % tags.length]}"`;
        expect(ifNoneMatchHolds(tags.map((each) => `"${each}"`).join(", "), wanted)).toBe(true);
      }),
    );
  });
});

describe("If-Match", () => {
  test("RFC 9110 §13.1.1: If-Match holds for the very tag or *, never for a weak one, never where nothing stands", () => {
    expect(ifMatchHolds('"a"', '"a"')).toBe(true);
    expect(ifMatchHolds('"b", "a"', '"a"')).toBe(true);
    expect(ifMatchHolds("*", '"a"')).toBe(true);
    expect(ifMatchHolds('W/"a"', '"a"')).toBe(false);
    expect(ifMatchHolds('"b"', '"a"')).toBe(false);
    expect(ifMatchHolds("*", undefined)).toBe(false);
    expect(ifMatchHolds('"a"', undefined)).toBe(false);
  });
});

describe("an answer with an ETag", () => {
  const request = (headers: Record<string, string> = {}) => new Request("http://any/", { headers });

  test("RFC 9110 §15.4.5: an answer is whole for who does not have it and 304 with its ETag for who has", async () => {
    const whole = await etagResponse(request(), { a: 1 });
    const etag = whole.headers.get("etag") ?? "";
    expect(etag).toBe(await strongEtag('{"a":1}'));
    expect(await whole.json()).toEqual({ a: 1 });
    const cached = await etagResponse(request({ "if-none-match": etag }), { a: 1 });
    expect(cached.status).toBe(304);
    expect(cached.headers.get("etag")).toBe(etag);
    expect(cached.headers.has("content-type")).toBe(false);
  });

  test("RFC 9110 §8.8.1: an answer has another strong tag when it has another body", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (a, b) => {
        fc.pre(a !== b);
        expect(await strongEtag(a)).not.toBe(await strongEtag(b));
      }),
    );
  });
});
