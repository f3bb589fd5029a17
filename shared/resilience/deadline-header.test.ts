import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { deadlineHeaderMs } from "./deadline-header.ts";

const read = (headers: Record<string, string>) => deadlineHeaderMs(new Headers(headers));

test.each([
  ["0", 0],
  ["1", 1],
  ["999999999", 999_999_999],
  [" 250 ", 250],
])("Skerry-Deadline %j is %d ms", (text, ms) => {
  expect(read({ "skerry-deadline": text })).toBe(ms);
});

test.each([
  "",
  "-1",
  "+1",
  "1.5",
  "1e3",
  "0x10",
  "01",
  "1000000000",
  "1 2",
  "250, 250",
  "250ms",
  "Infinity",
  "NaN",
  "１",
])("Skerry-Deadline %j counts as absent", (text) => {
  expect(deadlineHeaderMs({ get: (name) => (name === "skerry-deadline" ? text : null) })).toBeUndefined();
});

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["4m", 4],
  ["500u", 0.5],
  ["2000000n", 2],
  ["00000010S", 10_000],
  ["99999999H", 359_999_996_400_000],
  ["0m", 0],
])("grpc-timeout %j is %d ms", (text, ms) => {
  expect(read({ "grpc-timeout": text })).toBeCloseTo(ms, 9);
});

test.each(["", "S", "1", "1s", "1h", "1 S", "123456789S", "-1S", "1.5S", "1S, 2S", "1SS", "1µ", "1U", "1N"])(
  "grpc-timeout %j counts as absent",
  (text) => {
    expect(deadlineHeaderMs({ get: (name) => (name === "grpc-timeout" ? text : null) })).toBeUndefined();
  },
);

describe("both headers", () => {
  it("mean the shorter time", () => {
    expect(read({ "skerry-deadline": "500", "grpc-timeout": "1S" })).toBe(500);
    expect(read({ "skerry-deadline": "5000", "grpc-timeout": "1S" })).toBe(1_000);
  });

  it("do not spoil each other", () => {
    expect(read({ "skerry-deadline": "soon", "grpc-timeout": "1S" })).toBe(1_000);
    expect(read({ "skerry-deadline": "5", "grpc-timeout": "soon" })).toBe(5);
  });
});

test("whatever the headers hold, they tell a finite time that is not negative, or nothing", () => {
  const nearly = fc.stringMatching(/^[-+]?[0-9.e, ]{0,12}[HMSmunsx]{0,2}$/);
  const text = fc.option(fc.oneof(fc.string({ unit: "binary" }), nearly));
  fc.assert(
    fc.property(text, text, (own, grpc) => {
      const ms = deadlineHeaderMs({ get: (name) => (name === "skerry-deadline" ? own : grpc) });
      if (ms === undefined) return;
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(ms)).toBe(true);
      expect(/^\d{1,9}$/.test(own ?? "") || /^\d{1,8}[HMSmun]$/.test(grpc ?? "")).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
