import { expect, test } from "vitest";
import { replayFrom } from "./subscription-from.ts";

const now = () => Date.parse("2026-02-01T12:00:00.000Z");

test.each([
  ["beginning", 1],
  ["42", 42],
  ["90s", "2026-02-01T11:58:30.000Z"],
  ["2h", "2026-02-01T10:00:00.000Z"],
  ["3d", "2026-01-29T12:00:00.000Z"],
  ["2026-01-31", "2026-01-31T00:00:00.000Z"],
  ["2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00.000Z"],
])("a replay from %s begins at %s", (text, from) => {
  expect(replayFrom(text, now)).toBe(from);
});

test.each(["", "0", "-1", "1.5", "2w", "2026-13-01", "2026-01-31T12:00:00", "now"])(
  'a replay from "%s" is refused',
  (text) => {
    expect(() => replayFrom(text, now)).toThrow(`cannot replay from "${text}"`);
  },
);
