import fc from "fast-check";
import { expect, test } from "vitest";
import { readSessionField, SESSION_FIELD, sessionField, sessionIn } from "./session-fields.ts";

/** Lone surrogates and control characters, too. */
const TEXT = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));

test("any JSON object comes back as it was, and its field can stand in a header", () => {
  fc.assert(
    fc.property(fc.dictionary(TEXT, fc.jsonValue()), (content) => {
      const field = sessionField(content);
      expect(field).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(JSON.stringify(readSessionField(field))).toBe(JSON.stringify(content));
      expect(sessionIn(new Headers({ [SESSION_FIELD]: field }))).toEqual(readSessionField(field));
    }),
  );
});

test("nothing but a JSON object is a session", () => {
  const other = (text: string) => btoa(text).replaceAll("=", "");
  const texts = [
    "",
    "e30=",
    "e31",
    "*",
    other("[]"),
    other("null"),
    other('"a"'),
    other("1"),
    other("{"),
    other("\xff"),
  ];
  for (const field of texts) expect(readSessionField(field)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (field) => void readSessionField(field)));
  expect(sessionIn(new Headers())).toBeUndefined();
});
