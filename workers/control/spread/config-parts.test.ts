import { describe, expect, it } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { configParts } from "./config-parts.ts";

const setUp = () => {
  const sealed: string[] = [];
  const parts = configParts({
    documents: {
      effectiveOf: () => ({ epoch: 1, stable: { value: {}, flags: {}, origins: {} } }),
      effectiveEpochOf: () => 1,
    },
    sealFor: async (service, sides) => {
      sealed.push(service);
      return sides;
    },
    rollouts: { find: () => undefined, epochOf: () => 0 },
  });
  return { sealed, of: (service: string) => parts.part({ service, profile: "default" }) };
};

describe("configurations kept in memory", () => {
  it("are sealed once", async () => {
    const { sealed, of } = setUp();
    await of("orders");
    await of("orders");
    expect(sealed).toEqual(["orders"]);
  });

  it("leave when many empty ones come, so that made-up names do not fill it; who is asked for stays", async () => {
    const { sealed, of } = setUp();
    await of("forgotten");
    for (let n = 0; n < LIMITS.configPartsCachedBytes / 1_024; n++) {
      await of(`made-up-${n}`);
      await of("orders");
    }
    await of("forgotten");
    const times = (name: string) => sealed.filter((service) => service === name).length;
    expect([times("forgotten"), times("orders")]).toEqual([2, 1]);
  });
});
