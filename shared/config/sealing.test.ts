import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newKey, type Sealed, SealingError, sealer, serviceKeys } from "./sealing.ts";

const K1 = newKey("k1");
const K2 = newKey("k2");
const anyText = fc.string({ unit: "binary", maxLength: 200 });

const changed = (text: string, at: number): string => {
  const index = at % text.length;
  return `${text.slice(0, index)}${text[index] === "A" ? "B" : "A"}${text.slice(index + 1)}`;
};

describe("a sealed text", () => {
  test("opens at its place, whatever it is", async () => {
    const { seal, open } = sealer({ keys: K1 });
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (text, place) => {
        expect(await open(await seal(text, place), place)).toBe(text);
      }),
    );
  });

  test("does not open at another place", async () => {
    const { seal, open } = sealer({ keys: K1 });
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (here, there) => {
        fc.pre(here !== there);
        await expect(open(await seal("text", here), there)).rejects.toThrow(SealingError);
      }),
    );
    await expect(open(await seal("text", "\ud800"), "\ud801")).rejects.toThrow(SealingError);
  });

  test("does not open by another key, also when that has the same id", async () => {
    const sealed = await sealer({ keys: K1 }).seal("text", "a");
    await expect(sealer({ keys: newKey("k1") }).open(sealed, "a")).rejects.toThrow(
      'the value at "a" cannot be opened: it was not sealed there by key "k1"',
    );
    await expect(sealer({ keys: K2 }).open(sealed, "a")).rejects.toThrow('its key "k1" is not known');
  });

  test("does not open when any character of it is another one", async () => {
    const { seal, open } = sealer({ keys: `${K1},A:${K2.slice(3)}` });
    await fc.assert(
      fc.asyncProperty(
        anyText,
        fc.constantFrom<keyof Sealed>("key", "iv", "data", "fingerprint"),
        fc.nat(),
        async (text, part, at) => {
          const sealed = await seal(text, "a");
          await expect(open({ ...sealed, [part]: changed(sealed[part], at) }, "a")).rejects.toThrow(
            SealingError,
          );
          await expect(open({ ...sealed, [part]: "" }, "a")).rejects.toThrow(SealingError);
        },
      ),
    );
  });

  test("opens after its key has made way for a new one, which seals from then on", async () => {
    const old = await sealer({ keys: K1 }).seal("text", "a");
    const rotated = sealer({ keys: `${K2}, ${K1}` });
    expect(await rotated.open(old, "a")).toBe("text");
    expect(rotated.keyId).toBe("k2");
    const fresh = await rotated.seal("text", "a");
    expect(fresh.key).toBe("k2");
    expect(await sealer({ keys: K2 }).open(fresh, "a")).toBe("text");
  });

  test("of an earlier version still opens", async () => {
    const { open } = sealer({ keys: "k0:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" });
    expect(await open(WRITTEN_BEFORE, "orders/default#apiKey")).toBe("grüße");
  });

  test("shows neither itself nor its length beyond the bound", async () => {
    const { seal } = sealer({ keys: K1 });
    const sealed = await seal("hunter2hunter2", "a");
    expect(JSON.stringify(sealed)).not.toContain("hunter2");
    await expect(seal("hunter2".repeat(5_000), "a")).rejects.toThrow(
      'the text for "a" cannot be sealed: expected at most 16384 characters',
    );
    expect((await seal("x".repeat(16_384), "a")).key).toBe("k1");
  });

  test("is never sealed twice alike", async () => {
    const { seal } = sealer({ keys: K1 });
    const [one, two] = [await seal("text", "a"), await seal("text", "a")];
    expect(one.iv).not.toBe(two.iv);
    expect(one.data).not.toBe(two.data);
  });
});

const WRITTEN_BEFORE: Sealed = {
  key: "k0",
  iv: "pv_22DVuBZ0l0WE5",
  data: "5J17wvDEr4_NpX7pJTFJCUYA4ySZQ0o0WHAO",
  fingerprint: "85c14cb37f4b",
};

describe("a fingerprint", () => {
  test("is the same for the same text at the same place by the same key, and only then", async () => {
    const one = sealer({ keys: K1 });
    const { fingerprint } = await one.seal("text", "a");
    expect(fingerprint).toMatch(/^[0-9a-f]{12}$/);
    expect((await sealer({ keys: K1 }).seal("text", "a")).fingerprint).toBe(fingerprint);
    expect((await one.seal("texu", "a")).fingerprint).not.toBe(fingerprint);
    expect((await one.seal("text", "b")).fingerprint).not.toBe(fingerprint);
    expect((await one.seal("", "atext")).fingerprint).not.toBe((await one.seal("atext", "")).fingerprint);
    expect((await sealer({ keys: K2 }).seal("text", "a")).fingerprint).not.toBe(fingerprint);
  });
});

describe("a service's keys", () => {
  test("are the same each time, and others than those of another service and those they come from", async () => {
    const keys = `${K2},${K1}`;
    const orders = await serviceKeys(keys, "orders");
    expect(await serviceKeys(keys, "orders")).toBe(orders);
    expect(sealer({ keys: orders }).keyId).toBe("k2");
    const sealed = await sealer({ keys: orders }).seal("text", "a");
    expect(await sealer({ keys: orders }).open(sealed, "a")).toBe("text");
    for (const others of [keys, await serviceKeys(keys, "payments")]) {
      await expect(sealer({ keys: others }).open(sealed, "a")).rejects.toThrow(SealingError);
    }
  });
});

describe("malformed keys", () => {
  const secret = K1.slice(3);
  test.each([
    ["", "key 1 of the sealing keys has no id"],
    [secret, "key 1 of the sealing keys has no id"],
    [`:${secret}`, "key 1 of the sealing keys has no id"],
    [`${secret}:k1`, "key 1 of the sealing keys has no id"],
    [`${K1},`, "key 2 of the sealing keys has no id"],
    ["k1:", 'key "k1" of the sealing keys cannot be read'],
    [`k1:${secret.slice(4)}`, 'key "k1" of the sealing keys cannot be read'],
    [`k1:${secret.slice(0, -1)}`, 'key "k1" of the sealing keys cannot be read'],
    [`k1:${secret} x`, 'key "k1" of the sealing keys cannot be read'],
    [`${K1},${newKey("k1")}`, 'key "k1" stands twice'],
    [
      Array.from({ length: 17 }, (_, index) => newKey(`k${index}`)).join(),
      "expected at most 16 sealing keys",
    ],
  ])("are refused without showing them (case %#)", (keys, message) => {
    const attempt = () => sealer({ keys });
    expect(attempt).toThrow(SealingError);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow(secret.slice(8, 16));
  });

  test("cannot be made", () => {
    expect(() => newKey("a,b")).toThrow('a key cannot be called "a,b"');
    expect(sealer({ keys: newKey("2026-11.a_b") }).keyId).toBe("2026-11.a_b");
  });
});
