import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "./page.ts";

const placeSchema = z.strictObject({ after: z.string(), position: z.int() });

describe("a cursor", () => {
  test("names the place that it was made from, and is safe in a URL", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 64 }), fc.maxSafeInteger(), (after, position) => {
        const cursor = encodeCursor({ after, position });
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(cursor, placeSchema)).toEqual({ ok: true, value: { after, position } });
      }),
    );
  });

  test("that was not made here is refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const decoded = decodeCursor(text, placeSchema);
        expect(decoded).toMatchObject({ ok: false, error: { code: "invalid_parameter" } });
      }),
    );
  });

  test("that was cut, padded or made for another list is refused", () => {
    const cursor = encodeCursor({ after: "a", position: 1 });
    for (const changed of [
      cursor.slice(1),
      `${cursor}=`,
      `${cursor}A`,
      ` ${cursor}`,
      encodeCursor({ after: "a" }),
      encodeCursor({ after: "a", position: 1, more: 1 }),
      encodeCursor({ after: "a", position: "1" }),
      encodeCursor(null),
      "x".repeat(1_000_000),
    ]) {
      expect(decodeCursor(changed, placeSchema).ok).toBe(false);
    }
  });

  test("of which any one character was changed never leads to a place of another form", () => {
    const cursor = encodeCursor({ after: "abc", position: 12 });
    fc.assert(
      fc.property(
        fc.nat(cursor.length - 1),
        fc.base64String({ minLength: 4, maxLength: 4 }),
        (index, [letter]) => {
          const changed = cursor.slice(0, index) + letter + cursor.slice(index + 1);
          const decoded = decodeCursor(changed, placeSchema);
          if (decoded.ok) expect(placeSchema.safeParse(decoded.value).success).toBe(true);
        },
      ),
    );
  });
});

describe("a page's limit", () => {
  const limit = (value?: string) => pageParameters.limit.safeParse(value);

  test("is 20 when not given", () => {
    expect(limit()).toMatchObject({ success: true, data: 20 });
  });

  test.each(["1", "100", "007"])("may be %s", (value) => {
    expect(limit(value)).toMatchObject({ success: true, data: Number(value) });
  });

  test.each(["0", "101", "-1", "1e1", "1.0", " 1", "", "0x10", "Infinity", "9".repeat(40)])(
    "may not be %j",
    (value) => {
      expect(limit(value).success).toBe(false);
    },
  );
});

test("the next link is the same request with another cursor, free of the host", () => {
  const url = "http://internal:1234/orders/v1/orders?customerId=a%26b&limit=2&cursor=old";
  expect(nextLink(url, "new")).toBe('</orders/v1/orders?customerId=a%26b&limit=2&cursor=new>; rel="next"');
});

test("RFC 8288 §3: no parameter of a request can break out of a next page's link", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const url = new URL("http://any/list");
      url.searchParams.set("q", text.toWellFormed());
      expect(nextLink(url.href, "c")).toMatch(/^<[^<>\s"]*>; rel="next"$/);
    }),
  );
});
