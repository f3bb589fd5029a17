import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ClientAddressRule,
  clientAddresses,
  clientAddressOf,
  clientAddressSchema,
} from "./client-address.ts";

const PLATFORM: ClientAddressRule = { kind: "platform" };
const proxies = (n: number, header?: "forwarded"): ClientAddressRule => ({
  kind: "forwarded",
  proxies: n,
  ...(header && { header }),
});
const from = (name: string, value: string, rule: ClientAddressRule) =>
  clientAddressOf({ headers: new Headers({ [name]: value }), cf: {} }, rule);

describe("a client's address", () => {
  test("is what the platform says, and no other header's word", () => {
    const headers = new Headers({ "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "198.51.100.1" });
    const sent = { headers, cf: {} };
    expect(clientAddressOf(sent, PLATFORM)).toBe("192.0.2.1");
    expect(clientAddressOf(sent, proxies(1))).toBe("198.51.100.1");
    expect(clientAddressOf(sent, proxies(1, "forwarded"))).toBeUndefined();
    expect(clientAddressOf(sent, { kind: "none" })).toBeUndefined();
    expect(clientAddressOf({ headers: new Headers(), cf: {} }, PLATFORM)).toBeUndefined();
  });

  test("is not known by the platform's word where the platform is not there: anybody may have said it", () => {
    const headers = new Headers({ "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "198.51.100.1" });
    expect(clientAddressOf({ headers }, PLATFORM)).toBeUndefined();
    expect(clientAddressOf(new Request("http://gateway", { headers }), PLATFORM)).toBeUndefined();
    expect(clientAddressOf({ headers }, proxies(1))).toBe("198.51.100.1");
  });

  test("that cannot be known by the rule in force is told the operator, once", () => {
    const warned: string[] = [];
    const addressOf = clientAddresses((message) => warned.push(message));
    const headers = new Headers({ "cf-connecting-ip": "192.0.2.1" });
    expect(addressOf({ headers, cf: {} }, PLATFORM)).toBe("192.0.2.1");
    addressOf({ headers }, { kind: "none" });
    addressOf({ headers }, proxies(1));
    expect(warned).toEqual([]);
    for (let time = 0; time < 3; time++) expect(addressOf({ headers }, PLATFORM)).toBeUndefined();
    expect(warned).toEqual([expect.stringContaining('a "clientAddress" of kind "forwarded" or "none"')]);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:8080", "192.0.2.1"],
    [" 192.0.2.1 ", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::", "::"],
    ["192.0.2.256", undefined],
    ["192.0.2.01", undefined],
    ["192.0.2", undefined],
    ["0x7f000001", undefined],
    ["2001:db8::1%eth0", undefined],
    ["2001:db8:::1", undefined],
    ["[192.0.2.1]", undefined],
    ["[::1]x", undefined],
    ["shop.example", undefined],
    ["unknown", undefined],
    ["_hidden", undefined],
    ["", undefined],
    ["1".repeat(100_000), undefined],
  ])("is read of %j as %j", (text, address) => {
    expect(from("cf-connecting-ip", text, PLATFORM)).toBe(address);
  });

  test("is the n-th entry from the right for n proxies", () => {
    const list = "192.0.2.9, 192.0.2.3 ,192.0.2.2,192.0.2.1";
    const read = [1, 2, 3, 4, 5].map((n) => from("x-forwarded-for", list, proxies(n)));
    expect(read).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.9", undefined]);
  });

  test.each([
    ["for=192.0.2.1", "192.0.2.1"],
    ['For="[2001:db8::1]:4711";proto=https', "2001:db8::1"],
    ["proto=http; by=203.0.113.43 ;for=192.0.2.1", "192.0.2.1"],
    ['for=192.0.2.7, for="192.0.2.1:80"', "192.0.2.1"],
    ['for="_a,b"', undefined],
    ['for=192.0.2.7, for=192.0.2.1;by="_a,b"', "192.0.2.1"],
    ["by=192.0.2.1", undefined],
    ["for=unknown", undefined],
    ['for="', undefined],
  ])("RFC 7239 §4: of `Forwarded: %s` the client's address is %j", (list, address) => {
    expect(from("forwarded", list, proxies(1, "forwarded"))).toBe(address);
  });

  test("is not changed by anything that a client sends before the proxies add to it", () => {
    const sent = fc.string({
      unit: fc.constantFrom(",", '"', "\\", ";", "=", "1", ".", "for=", " "),
      maxLength: 60,
    });
    fc.assert(
      fc.property(sent, (text) => {
        const line = `${text}, 192.0.2.2, 192.0.2.1`;
        expect(from("x-forwarded-for", line, proxies(2))).toBe("192.0.2.2");
        const named = `${text}, for="192.0.2.2", for=192.0.2.1`;
        expect(from("forwarded", named, proxies(2, "forwarded"))).toBe("192.0.2.2");
      }),
    );
  });

  test("is an address or undefined, whatever is sent", () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.[]%,;=" for') }),
      fc.stringMatching(/^[\x20-\x7e]*$/),
      fc.ipV6(),
      fc.ipV4Extended(),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 4 }), (value, n) => {
        for (const [name, rule] of [
          ["cf-connecting-ip", PLATFORM],
          ["x-forwarded-for", proxies(n)],
          ["forwarded", proxies(n, "forwarded")],
        ] as const) {
          const address = from(name, value, rule);
          if (address !== undefined) expect(isIP(address)).not.toBe(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("has a rule that names at least one proxy", () => {
    expect(clientAddressSchema.safeParse({ kind: "forwarded", proxies: 0 }).success).toBe(false);
    expect(clientAddressSchema.safeParse({ kind: "forwarded", proxies: 1 }).success).toBe(true);
    expect(clientAddressSchema.safeParse({ kind: "guessed" }).success).toBe(false);
  });
});
