import { expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { passesIn, VIA } from "./via.ts";

test.each<[string, number]>([
  ["", 0],
  [VIA, 1],
  [`1.0 fred, ${VIA}, 1.1 p.example.net, ${VIA}`, 2],
  ["2 SKERRY (a comment),HTTP/1.1\tskerry", 2],
  ["1.1 skerry.example, 1.1 notskerry, skerry, 1.1 skerry-2, 1.1 fred skerry", 0],
])("RFC 9110 §7.6.3: in Via %j the gateway finds itself %i times", (via, passes) => {
  expect(passesIn(via)).toBe(passes);
});

test("is counted in time, whatever a client sends", () => {
  for (const part of [" ", ",", " ,", "a", "a ", "1.1 skerr", "\t,\t"]) {
    const began = performance.now();
    passesIn(part.repeat(LIMITS.requestHeaderBytes / part.length));
    expect(performance.now() - began).toBeLessThan(500);
  }
});
