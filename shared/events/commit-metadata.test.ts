import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { assertMetadata, assertTenant, causedBy, metadataValue } from "./commit-metadata.ts";

describe("a commit's metadata", () => {
  it.each([
    ["empty", ""],
    ["with a line's end", "a\r\nNats-Msg-Id: b"],
    ["beyond ASCII", "Zoë"],
    ["with a space at its end", "a "],
    ["too long", "x".repeat(LIMITS.metadataCharacters + 1)],
  ])("is refused when a value is %s", (_, value) => {
    for (const field of ["causationId", "correlationId", "actor", "tenant"])
      expect(() => assertMetadata({ [field]: value })).toThrow(RangeError);
  });

  it("is taken when it is safe in a header, and when there is none", () => {
    assertMetadata({});
    assertMetadata({
      actor: "mtls:CN=shop, O=Example",
      correlationId: "x".repeat(LIMITS.metadataCharacters),
    });
  });

  it("takes any text once it is made a value, and tells texts of usual length apart", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80, unit: "binary" }), (text) => {
        const value = metadataValue(text);
        assertMetadata({ actor: value });
        expect(decodeURIComponent(value)).toBe(text.toWellFormed());
      }),
    );
    assertMetadata({ actor: metadataValue("ü".repeat(5_000)) });
  });

  it("goes on in what an event causes: the event's id, and the chain and tenant of its commit, but no caller", () => {
    const metadata = { causationId: "c0", correlationId: "r1", actor: "jwt:alice", tenant: "t1" };
    expect(causedBy({ id: "c1/0" }, { metadata })).toEqual({
      causationId: "c1/0",
      correlationId: "r1",
      tenant: "t1",
    });
    expect(causedBy({ id: "c1/0" }, { metadata: {} })).toEqual({ causationId: "c1/0" });
  });

  it("is refused for an aggregate of another tenant, or of one where it says none", () => {
    const note = (id: string) => ({ type: "note", id });
    for (const metadata of [{}, { tenant: "rival" }, { tenant: "ACME" }, { tenant: "acm" }, { tenant: "" }])
      expect(() => assertTenant(note("acme.n1"), metadata)).toThrow('expected its own, "acme"');
    assertTenant(note("acme.n1"), { tenant: "acme" });
    // Of a service that keeps no tenants apart, whose callers may be of one.
    for (const metadata of [{}, { tenant: "acme" }]) assertTenant(note("n1"), metadata);
  });

  it("takes an event that was parked before commits had metadata", () => {
    expect(causedBy({ id: "c1/0" }, JSON.parse("{}"))).toEqual({ causationId: "c1/0" });
  });
});
