import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inTenant, tenantOf, withoutTenant } from "./tenant-id.ts";

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe("an id in its tenant", () => {
  it("tells both again, and no two of them are the same", () => {
    fc.assert(
      fc.property(token, token, token, token, (tenant, id, other, otherId) => {
        const whole = inTenant(tenant, id);
        expect([tenantOf(whole), withoutTenant(whole)]).toEqual([tenant, id]);
        expect(whole === inTenant(other, otherId)).toBe(tenant === other && id === otherId);
      }),
    );
  });

  it("is made of safe tokens alone: nobody's id can name another tenant's", () => {
    const unsafe = fc.string({ unit: "binary" }).filter((text) => !/^[A-Za-z0-9_-]{1,64}$/.test(text));
    fc.assert(
      fc.property(unsafe, token, (bad, good) => {
        expect(() => inTenant(good, bad)).toThrow(RangeError);
        expect(() => inTenant(bad, good)).toThrow(RangeError);
      }),
    );
    expect(() => inTenant("acme", "rival.o-1")).toThrow('"rival.o-1" of the tenant "acme"');
  });

  it("that is nobody's has no tenant, and stays as it is", () => {
    expect([tenantOf("o-1"), withoutTenant("o-1")]).toEqual([undefined, "o-1"]);
  });
});
