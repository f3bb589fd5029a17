import { expect, test } from "vitest";
import { archiveProgress } from "./archive-progress.ts";

const range = { first: 1, last: 1_000 };

/** A position each 50 ms. */
const show = (isTTY: boolean, positions: number) => {
  let now = 0;
  let written = "";
  const out = { isTTY, columns: 200, write: (text: string) => (written += text) };
  const progress = archiveProgress("exporting orders", out, () => now);
  for (let position = 1; position <= positions; position++) {
    progress.at(position, range);
    now += 50;
  }
  progress.end();
  return written;
};

test("on a terminal one line fills, with the time left, and ends", () => {
  const shown = show(true, 1_000).split("\r\u001b[2K").slice(1);
  expect(shown).toHaveLength(251);
  expect(shown[125]).toBe("exporting orders ████████████░░░░░░░░░░░░ 50 % position 501 of 1,000, 25 s left");
  expect(shown.at(-1)).toBe(
    "exporting orders ████████████████████████ 100 % position 1,000 of 1,000, 0 s left\n",
  );
});

test("elsewhere a line comes every ten seconds, and none for what is done before", () => {
  expect(show(false, 100)).toBe("");
  expect(show(false, 500).trimEnd().split("\n")).toEqual([
    "exporting orders ████░░░░░░░░░░░░░░░░░░░░ 20 % position 201 of 1,000, 40 s left",
    "exporting orders █████████░░░░░░░░░░░░░░░ 40 % position 401 of 1,000, 30 s left",
  ]);
});
