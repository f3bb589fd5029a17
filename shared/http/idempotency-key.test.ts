import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIdempotencyKey, requestFingerprint } from "./idempotency-key.ts";

const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 255,
});

describe("an Idempotency-Key", () => {
  test("is absent when there is no header", () => {
    expect(parseIdempotencyKey(undefined)).toEqual({ ok: true, value: undefined });
    expect(parseIdempotencyKey(null)).toEqual({ ok: true, value: undefined });
  });

  test("is any visible ASCII as a quoted string", () => {
    fc.assert(
      fc.property(visible, (key) => {
        const quoted = `"${key.replaceAll(/["\\]/g, "\\$&")}"`;
        expect(parseIdempotencyKey(quoted)).toEqual({ ok: true, value: key });
      }),
    );
  });

  test("means the same bare and quoted", () => {
    const key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    expect(parseIdempotencyKey(key)).toEqual({ ok: true, value: key });
    expect(parseIdempotencyKey(` "${key}" `)).toEqual({ ok: true, value: key });
  });

  test("is refused or made of 1 to 255 visible ASCII characters, whatever the header holds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), visible), (header) => {
        const parsed = parseIdempotencyKey(header);
        if (parsed.ok) expect(parsed.value).toMatch(/^[\x21-\x7e]{1,255}$/);
        else expect(parsed.error.code).toBe("invalid_parameter");
      }),
    );
  });

  test.each([
    "",
    '""',
    '"',
    '"a',
    'a"',
    "a b",
    '"a b"',
    "a, b",
    "a,b",
    '"a", "b"',
    '"a";p=1',
    String.raw`"a\b"`,
    "ключ",
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
  ])("is refused when it is %j", (header) => {
    expect(parseIdempotencyKey(header).ok).toBe(false);
  });

  test("of 255 characters is taken", () => {
    expect(parseIdempotencyKey("x".repeat(255)).ok).toBe(true);
    expect(parseIdempotencyKey(`"${String.raw`\"`.repeat(255)}"`)).toEqual({
      ok: true,
      value: '"'.repeat(255),
    });
  });
});

describe("a request's fingerprint", () => {
  test("is the SHA-256 of its canonical JSON", async () => {
    const canonical = '{"a":1,"b":[1,{"c":"é","d":null}]}';
    const digest = createHash("sha256").update(canonical).digest("hex");
    expect(await requestFingerprint({ b: [1, { d: null, c: "é" }], a: 1 })).toBe(digest);
  });

  test("does not depend on the order of keys, at any depth", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (body) => {
        const reversed = Object.fromEntries(Object.entries(body).reverse());
        const nested = await requestFingerprint({ x: [body] });
        expect(await requestFingerprint({ x: [reversed] })).toBe(nested);
      }),
    );
  });

  test("differs for different bodies", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        fc.pre(!same && typeof a !== "object" && typeof b !== "object");
        expect(await requestFingerprint(a)).not.toBe(await requestFingerprint(b));
      }),
    );
    expect(await requestFingerprint(["a", "b"])).not.toBe(await requestFingerprint(["b", "a"]));
    expect(await requestFingerprint({ a: "1" })).not.toBe(await requestFingerprint({ a: 1 }));
  });
});
