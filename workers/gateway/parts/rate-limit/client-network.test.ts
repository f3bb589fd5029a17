import fc from "fast-check";
import { expect, test } from "vitest";
import { clientNetwork } from "./client-network.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["", ""],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::1", "2001:db8:1:2"],
  ["2001:db8:1:2::", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:db8:0:0:1::", "2001:db8:0:0"],
  ["2001::1:2:3:4:5", "2001:0:0:1"],
  ["::1:2:3:4:5:6", "0:0:1:2"],
  ["::1", "0:0:0:0"],
  ["::", "0:0:0:0"],
])("%j is of the network %j", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});

const group = fc.oneof(fc.constant(0), fc.nat({ max: 0xffff }));

test("addresses are of one network exactly when they have the first 64 bits in common", () => {
  const canonical = (groups: readonly number[]) =>
    new URL(`http://[${groups.map((each) => each.toString(16)).join(":")}]/`).hostname.slice(1, -1);
  const four = fc.array(group, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(four, four, four, four, (one, other, host, otherHost) => {
      const network = clientNetwork(canonical([...one, ...host]));
      expect(clientNetwork(canonical([...one, ...otherHost]))).toBe(network);
      expect(clientNetwork(canonical([...other, ...host])) === network).toBe(`${one}` === `${other}`);
    }),
    { numRuns: 1_000 },
  );
});
