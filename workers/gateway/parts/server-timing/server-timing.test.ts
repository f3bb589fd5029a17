import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { Handler, Timing } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { serverTiming } from "./server-timing.ts";

/** Lone surrogates and control characters, too. */
const TEXT = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));

const told = async (timings: Timing[], own: HeadersInit = {}, settings = {}) => {
  let now = 1_000;
  const service: Handler = async () => {
    now += 12.345;
    return new Response("hello", { headers: own });
  };
  const part = serverTiming(settings, { clock: () => now });
  const answer = await answered(part(service), fakeExchange("/shop", {}, { timings }));
  return answer.headers.get("server-timing");
};

describe("Server-Timing", () => {
  test("tells the phases in order and the whole", async () => {
    expect(
      await told([
        { name: "auth", ms: 1 },
        { name: "upstream", ms: 9.96 },
      ]),
    ).toBe("auth;dur=1, upstream;dur=10, total;dur=12.3");
  });

  test("Server-Timing §2: the gateway's metrics stand beside those of the service", async () => {
    expect(await told([], { "server-timing": "db;dur=4" })).toBe("db;dur=4, total;dur=12.3");
  });

  test("leaves the whole out when it should, and itself when there is nothing to tell", async () => {
    expect(await told([{ name: "auth", ms: 1 }], {}, { total: false })).toBe("auth;dur=1");
    expect(await told([], {}, { total: false })).toBeNull();
  });

  test("tells of a bounded number of phases", async () => {
    const phases = Array.from({ length: 1_000 }, (_, index) => ({ name: `p${index}`, ms: 0 }));
    expect((await told(phases))?.split(", ")).toHaveLength(LIMITS.serverTimings + 1);
  });

  test("Server-Timing §2: phases are named by tokens, whatever they are called", async () => {
    await fc.assert(
      fc.asyncProperty(TEXT, fc.double({ noNaN: true, min: -10, max: 1e6 }), async (name, ms) => {
        expect(await told([{ name, ms }], {}, { total: false })).toMatch(
          /^[!#$%&'*+.^_`|~0-9A-Za-z-]+;dur=[0-9]+(\.[0-9])?$/,
        );
      }),
    );
  });
});
