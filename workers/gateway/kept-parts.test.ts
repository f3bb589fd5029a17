import { expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { keptParts } from "./kept-parts.ts";

test("a part is kept while its own settings are the same, and made anew when they change", () => {
  const kept = keptParts();
  const make = () => ({});
  const first = kept.keep("r", "cache", { ttlSeconds: 1 }, make);
  expect(kept.keep("r", "cache", { ttlSeconds: 1 }, make)).toBe(first);
  expect(kept.keep("other", "cache", { ttlSeconds: 1 }, make)).not.toBe(first);
  expect(kept.keep("r", "rateLimit", { ttlSeconds: 1 }, make)).not.toBe(first);
  expect(kept.keep("r", "cache", { ttlSeconds: 2 }, make)).not.toBe(first);
});

test("those that were put together least lately make room", () => {
  const kept = keptParts();
  const first = kept.keep("0", "cache", {}, () => ({}));
  for (let route = 1; route <= LIMITS.gatewayPartsKept; route++)
    kept.keep(`${route}`, "cache", {}, () => ({}));
  expect(kept.keep("0", "cache", {}, () => ({}))).not.toBe(first);
});
