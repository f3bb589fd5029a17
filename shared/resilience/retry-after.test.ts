import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "../limits.ts";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.parse("1994-11-06T08:49:30.000Z");
const read = (text: string, nowMs = NOW) => retryAfterMs({ get: () => text }, nowMs);

test.each([
  ["0", 0],
  ["7", 7_000],
  ["120", 120_000],
  ["007", 7_000],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 7_000],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 7_000],
  ["Sun Nov  6 08:49:37 1994", 7_000],
  ["Sun Nov 06 08:49:37 1994", 7_000],
  ["Sun, 06 Nov 1994 08:49:29 GMT", 0],
  ["Sun, 06 Nov 1994 08:49:60 GMT", 30_000],
])("RFC 9110 §10.2.3: Retry-After %j is %d ms from now", (text, ms) => {
  expect(read(text)).toBe(ms);
});

test.each([
  "",
  "-1",
  "+1",
  "1.5",
  "1e3",
  "soon",
  "7 s",
  "7, 8",
  "2026-01-01",
  "Sun, 06 Nov 1994 08:49:37 UTC",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 31 Feb 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:00:00 GMT",
  "Sun, 06 Nov 1994 08:60:00 GMT",
  "Sun, 06 Foo 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT, 7",
])("%j tells nothing", (text) => {
  expect(read(text)).toBeUndefined();
});

test("an absent header tells nothing", () => {
  expect(retryAfterMs(new Headers(), NOW)).toBeUndefined();
});

test("RFC 9110 §5.6.7: in Retry-After a two-digit year more than 50 years ahead lies in the past", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(read("Tuesday, 01-Jan-75 00:00:00 GMT", now)).toBe(LIMITS.retryAfterMs);
  expect(read("Saturday, 01-Jan-77 00:00:00 GMT", now)).toBe(0);
});

test("any HTTP date is read as it was written", () => {
  const most = NOW + LIMITS.retryAfterMs;
  fc.assert(
    fc.property(fc.date({ min: new Date(NOW), max: new Date(most), noInvalidDate: true }), (date) => {
      expect(read(date.toUTCString())).toBe(Math.max(0, Math.floor(date.getTime() / 1_000) * 1_000 - NOW));
    }),
  );
});

test("whatever it holds, the wait is within bounds", () => {
  const nearly = fc.stringMatching(/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,400}$/), nearly), (text) => {
      const ms = read(text);
      if (ms === undefined) return;
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(LIMITS.retryAfterMs);
    }),
    { numRuns: 1_000 },
  );
});
