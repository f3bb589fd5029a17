/** Holds that keys have one form, are never the same, and are known again by their digest alone. */
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { apiKeyId, digestOf, equalDigests, newApiKey, readDigest } from "./api-key.ts";

test("a new key names its id, and its hash is SHA-256 of all of it", async () => {
  const { key, hash } = await newApiKey("partner-7");
  expect(key).toMatch(/^sk_partner-7_[\w-]{43}$/);
  expect(hash).toBe(createHash("sha256").update(key).digest("base64url"));
  expect((await newApiKey("partner-7")).key).not.toBe(key);
});

test.each(["", "a_b", "a b", "x".repeat(65)])("the id %j is refused", async (id) => {
  await expect(newApiKey(id)).rejects.toThrow(`Making an API key of the id "${id}": expected 1 to 64`);
});

test("an id is found again whatever the random part is, underscores included", () => {
  expect(apiKeyId(`sk_a-1_${"_".repeat(43)}`)).toBe("a-1");
  const random = "r".repeat(43);
  for (const text of [`sk__${random}`, `sk_a_${random}x`, `pk_a_${random}`, `sk_a_${random}\n`, "sk_a_", ""])
    expect(apiKeyId(text)).toBeUndefined();
});

test("a digest is read in hexadecimal digits and in base64url, and nothing else is one", async () => {
  const digest = await digestOf("text");
  const buffer = Buffer.from(digest);
  expect(readDigest(buffer.toString("hex"))).toEqual(digest);
  expect(readDigest(buffer.toString("base64url"))).toEqual(digest);
  for (const text of ["", "zz", "0".repeat(63), "A".repeat(42), `${"A".repeat(42)}B`])
    expect(readDigest(text)).toBeUndefined();
});

test("digests are equal when every byte is", () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes, fc.nat({ max: 31 }), fc.integer({ min: 1, max: 255 }), (one, at, by) => {
      const other = Uint8Array.from(one, (byte, position) => (position === at ? byte ^ by : byte));
      expect([equalDigests(one, Uint8Array.from(one)), equalDigests(one, other)]).toEqual([true, false]);
      expect(equalDigests(one, one.subarray(0, 31))).toBe(false);
    }),
  );
});
