/** Holds that a token is known by all of its text, though it is found by its end. */
import { expect, test } from "vitest";
import { tokenMemory } from "./token-memory.ts";

const END = "e".repeat(64);

test("what is remembered of a token is not found by another with the same end", () => {
  const memory = tokenMemory<string>(10);
  memory.set(`a.b.${END}`, "alice");
  expect(memory.get(`a.b.${END}`)).toBe("alice");
  for (const other of [`a.c.${END}`, `xa.b.${END}`, END, ""]) expect(memory.get(other)).toBeUndefined();
});

test("of two with the same end the later one is remembered, and there are no more than may be", () => {
  const memory = tokenMemory<number>(2);
  memory.set(`a${END}`, 1);
  memory.set(`b${END}`, 2);
  expect([memory.get(`a${END}`), memory.get(`b${END}`), memory.size()]).toEqual([undefined, 2, 1]);
  for (let at = 0; at < 9; at += 1) memory.set(`${END}${at}`, at);
  expect(memory.size()).toBeLessThanOrEqual(2);
});
