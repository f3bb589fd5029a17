import { expect, it } from "vitest";
import { progressOn } from "./progress.ts";

const shown = (isTTY: boolean, msPerStep: number) => {
  let now = 0;
  const written: string[] = [];
  const progress = progressOn({ write: (text) => written.push(text), isTTY, columns: 60 }, () => now);
  progress.begin("orders", 10);
  for (let step = 0; step < 10; step++) {
    now += msPerStep;
    progress.step();
  }
  progress.end();
  return written;
};

it("updates one line of a terminal, never wider than it", () => {
  const written = shown(true, 100);
  expect(written.slice(0, -1).every((text) => text.startsWith("\r\x1b[2K"))).toBe(true);
  expect(Math.max(...written.map((text) => text.replace("\r\x1b[2K", "").length))).toBeLessThan(60);
  expect(written.at(-2)).toContain("10 of 10 orders");
  expect(written.at(-1)).toBe("\n");
});

it("writes a line every five seconds elsewhere, and the last", () => {
  expect(shown(false, 2_000)).toEqual([
    "3 of 10 orders (1 a second)\n",
    "6 of 10 orders (1 a second)\n",
    "9 of 10 orders (1 a second)\n",
    "10 of 10 orders (1 a second)\n",
  ]);
});
