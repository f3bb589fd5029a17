import { expect, test } from "vitest";
import type { RebuildProgress } from "#shared/cqrs/rebuild.ts";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { followRebuild } from "./projection-progress.ts";

const at = (position: number, phase: RebuildProgress["phase"] = "filling"): RebuildProgress => ({
  id: "1",
  version: 2,
  phase,
  keep: false,
  startedAt: "2026-01-31T12:00:00.000Z",
  position,
  target: 100_000,
});

const follow = async (answers: readonly RebuildProgress[], isTTY: boolean) => {
  const { clock, sleep, pass } = virtualTime();
  let written = "";
  const out = { isTTY, columns: 200, write: (text: string) => (written += text) };
  const left = [...answers];
  const ask = async () => left.shift() ?? at(100_000, "done");
  const followed = followRebuild({ name: "orders", ask, out, clock, sleep }).then(
    ({ phase }) => phase,
    (error: Error) => error.message,
  );
  await pass(60_000);
  return { ended: await followed, written };
};

test("on a terminal one line fills, with the pace and the time left", async () => {
  const { ended, written } = await follow([at(0), at(15_000), at(30_000)], true);
  expect(ended).toBe("done");
  const shown = written.split("\r\u001b[2K");
  expect(shown).toHaveLength(5);
  expect(shown[3]).toBe(
    "orders ███████░░░░░░░░░░░░░░░░░ 30 % filling, 30,000 of 100,000, 30,000 commits/s, 3 s left",
  );
});

test("elsewhere a line comes every ten seconds, and one at the end", async () => {
  const { written } = await follow(
    Array.from({ length: 41 }, (_, n) => at(n * 1_000)),
    false,
  );
  expect(written.trimEnd().split("\n")).toHaveLength(4);
});

test("why it does not go on is said, and that it was cancelled", async () => {
  const failing = { ...at(1), failure: "no \u001broom" };
  const { ended, written } = await follow([failing, at(1, "cancelled")], false);
  expect(written).toContain("fails: no \ufffdroom");
  expect(ended).toBe('the rebuild of "orders" was cancelled');
});
