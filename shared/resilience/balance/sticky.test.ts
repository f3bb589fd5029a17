import { expect, test } from "vitest";
import type { Balanced } from "./balancer.ts";
import { stickyTargets, stickyValue } from "./sticky.ts";

const list: readonly Balanced[] = Array.from({ length: 100 }, (_, index) => ({
  id: `pod-${index}`,
  weight: 1,
}));

test("each instance's value names it again", () => {
  const sticky = stickyTargets<Balanced>();
  for (const target of list) expect(sticky.named(stickyValue(target), list)).toBe(target);
});

test("a value names nobody when its instance is gone or excepted, or when it was made up", () => {
  const sticky = stickyTargets<Balanced>();
  const value = stickyValue({ id: "pod-7" });
  expect(sticky.named(value, list)?.id).toBe("pod-7");
  expect(sticky.named(value, list, ({ id }) => id === "pod-7")).toBeUndefined();
  expect(sticky.named(value, list.slice(0, 7))).toBeUndefined();
  expect(sticky.named("pod-7", list)).toBeUndefined();
  expect(sticky.named("", list)).toBeUndefined();
});

test("a value is a cookie's value as it stands, and does not tell the id", () => {
  for (const target of list) expect(stickyValue(target)).toMatch(/^[0-9a-z]{2,14}$/);
  expect(stickyValue({ id: "ip-10-0-0-7:8080" })).not.toContain("10");
});
