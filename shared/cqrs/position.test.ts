import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { err, ok } from "../result.ts";
import { formatPosition, parseMinPosition } from "./position.ts";

const service = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const position = fc.integer({ min: 0, max: 999_999_999_999_999 });

describe("Skerry-Min-Position", () => {
  it("asks nothing when it is absent or names other services only", () => {
    expect(parseMinPosition(undefined, "orders")).toEqual(ok(0));
    expect(parseMinPosition("inventory=7", "orders")).toEqual(ok(0));
  });

  it("asks what the answer of a command said", () => {
    fc.assert(
      fc.property(service, position, (name, at) => {
        expect(parseMinPosition(formatPosition(name, at), name)).toEqual(ok(at));
      }),
    );
  });

  it("may hold several services, and asks the newest of one that comes twice", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("orders", "inventory"), position), { minLength: 1, maxLength: 32 }),
        fc.constantFrom(",", ", ", " , "),
        (entries, separator) => {
          const header = entries.map((entry) => formatPosition(...entry)).join(separator);
          const own = entries.filter(([name]) => name === "orders").map(([, at]) => at);
          expect(parseMinPosition(header, "orders")).toEqual(ok(Math.max(0, ...own)));
        },
      ),
    );
  });

  it.each([
    "",
    "orders",
    "orders=",
    "orders=-1",
    "orders=1.5",
    "orders=1e3",
    "=1",
    "Orders=1",
    "orders=1,",
    "orders=1;x=2",
  ])("is refused as %j", (header) => {
    expect(parseMinPosition(header, "orders")).toEqual(
      err({ code: "invalid_parameter", detail: expect.stringContaining(JSON.stringify(header)) }),
    );
  });

  it("is refused with more than 32 entries, even when the first ones are fine", () => {
    expect(parseMinPosition(Array(33).fill("orders=1").join(","), "orders").ok).toBe(false);
    expect(parseMinPosition(Array(32).fill("orders=1").join(","), "orders")).toEqual(ok(1));
  });

  it("is never more than an exact whole number or a refusal of bounded length, whatever is sent", () => {
    const noise = fc.string({ unit: "grapheme", maxLength: 300 });
    const near = fc
      .array(fc.constantFrom("orders", "=", ",", " ", "1", "99999999999999", "-", "\n"))
      .map((all) => all.join(""));
    fc.assert(
      fc.property(fc.oneof(noise, near), (header) => {
        const parsed = parseMinPosition(header, "orders");
        if (parsed.ok) expect(Number.isSafeInteger(parsed.value) && parsed.value >= 0).toBe(true);
        else expect(parsed.error.detail.length).toBeLessThan(300);
      }),
      { numRuns: 500 },
    );
  });
});
