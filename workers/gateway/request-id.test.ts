import { expect, test } from "vitest";
import { acceptRequestId, requestNames } from "./request-id.ts";

test("a client's id is kept when it is safe to repeat", () => {
  expect(acceptRequestId("mine-1")).toBe("mine-1");
  for (const refused of [null, "", "a b", "a\nb", "ä", "x".repeat(129)])
    expect(acceptRequestId(refused)).toBeUndefined();
});

test("made names are all different, also between isolates, and safe to repeat", () => {
  const one = requestNames(() => crypto.randomUUID());
  const other = requestNames(() => crypto.randomUUID());
  const names = Array.from({ length: 500 }, () => [one(), other()]).flat();
  expect(new Set(names).size).toBe(1_000);
  for (const name of names) expect(acceptRequestId(name)).toBe(name);
});
