import { expect, test } from "vitest";
import { LIMITS } from "../limits.ts";
import { armSums } from "./arm-sums.ts";

const answer = { service: "orders", rollout: "r1", arm: "candidate", failed: false } as const;

test("answers are summed by service, roll-out and arm, failures among them", () => {
  const sums = armSums();
  sums.count(answer);
  sums.count({ ...answer, failed: true });
  sums.count({ ...answer, arm: "stable" });
  expect(sums.take()).toEqual([
    { service: "orders", rollout: "r1", arm: "candidate", answers: 2, failures: 1 },
    { service: "orders", rollout: "r1", arm: "stable", answers: 1, failures: 0 },
  ]);
  expect(sums.take()).toEqual([]);
});

test("what the control plane would refuse is not counted, so that no look is refused for it", () => {
  const sums = armSums();
  sums.count({ ...answer, rollout: "r".repeat(257) });
  sums.count({ ...answer, service: "s".repeat(65) });
  expect(sums.take()).toEqual([]);
  for (let counted = 0; counted < LIMITS.armAnswers; counted++) sums.count(answer);
  sums.count({ ...answer, failed: true });
  expect(sums.take()).toMatchObject([{ answers: LIMITS.armAnswers, failures: 0 }]);
});

test("no more sums are kept than the limit says; those that are kept go on counting", () => {
  const sums = armSums();
  for (let index = 0; index < LIMITS.armSums + 10; index++) sums.count({ ...answer, rollout: `r${index}` });
  sums.count({ ...answer, rollout: "r0" });
  const taken = sums.take();
  expect(taken).toHaveLength(LIMITS.armSums);
  expect(taken[0]?.answers).toBe(2);
});
