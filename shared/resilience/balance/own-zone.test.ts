import { expect, test } from "vitest";
import { ownZone } from "./own-zone.ts";

const from = (cf?: unknown): Request =>
  Object.assign(new Request("http://x"), cf === undefined ? {} : { cf });

test("the own zone is the configured one, else the platform's, else none", () => {
  expect(ownZone(from({ colo: "FRA" }), "north")).toBe("north");
  expect(ownZone(from({ colo: "FRA" }))).toBe("FRA");
  expect(ownZone(from({}))).toBeUndefined();
  expect(ownZone(from())).toBeUndefined();
});
