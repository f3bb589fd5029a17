import fc from "fast-check";
import { expect, it } from "vitest";
import { AGGREGATE_ID } from "#shared/events/event.ts";
import { codeFromId, idFromCode } from "./stock-code.ts";

const code = fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 });

it("keeps what is valid already, case included", () => {
  expect(["85123A", "85123a", "gift-1"].map(idFromCode)).toEqual(["85123A", "85123a", "gift-1"]);
});

it("escapes every other byte, the escape sign too", () => {
  expect(["BANK CHARGES", "gift_0001", "£5", "a.b*>"].map(idFromCode)).toEqual([
    "BANK_20CHARGES",
    "gift_5f0001",
    "_c2_a35",
    "a_2eb_2a_3e",
  ]);
});

it("makes a valid id of any code, which gives the code back unless it is hashed", () => {
  fc.assert(
    fc.property(code, (text) => {
      const id = idFromCode(text);
      expect(id).toMatch(AGGREGATE_ID);
      expect([text, undefined]).toContain(codeFromId(id));
      if (text.length <= 16 && /^[\x20-\x7e]*$/.test(text)) expect(codeFromId(id)).toBe(text);
    }),
  );
});

it("hashes codes that are too long, each to its own id", () => {
  const ids = ["x".repeat(65), "x".repeat(66)].map(idFromCode);
  expect(new Set(ids).size).toBe(2);
  expect(ids.map(codeFromId)).toEqual([undefined, undefined]);
});
