import { describe, expect, it } from "vitest";
import { LIMITS } from "../limits.ts";
import { err, ok } from "../result.ts";
import { ActorUnavailable } from "../runtime/actor.ts";
import { awaitPosition } from "./freshness.ts";

const ask = async (header: string | undefined, reached: boolean) => {
  const asked: object[] = [];
  const result = await awaitPosition({
    header,
    service: "orders",
    projector: () => ({
      waitFor: async (input) => {
        asked.push(input);
        return reached;
      },
    }),
  });
  return { result, asked };
};

describe("a query with Skerry-Min-Position", () => {
  it("waits a bounded time for the position of its own service", async () => {
    const { result, asked } = await ask("inventory=9,orders=7", true);
    expect(result).toEqual(ok(undefined));
    expect(asked).toEqual([{ position: 7, timeoutMs: LIMITS.positionWaitMs }]);
  });

  it.each([undefined, "inventory=9", "orders=0"])("asks nothing of the read model for %j", async (header) => {
    expect(await ask(header, false)).toEqual({ result: ok(undefined), asked: [] });
  });

  it("is refused instead of answered with an older state", async () => {
    const { result } = await ask("orders=7", false);
    expect(result).toMatchObject({ ok: false, error: { code: "position_not_reached" } });
    expect(!result.ok && result.error.detail).toContain('"orders=7"');
  });

  it("is refused as unavailable when the projection cannot be reached", async () => {
    const result = await awaitPosition({
      header: "orders=7",
      service: "orders",
      projector: () => ({ waitFor: () => Promise.reject(new ActorUnavailable("away")) }),
    });
    expect(result).toEqual(err({ code: "unavailable", detail: "away" }));
  });

  it("is refused when the header cannot be read", async () => {
    expect((await ask("orders=seven", true)).result).toMatchObject({ error: { code: "invalid_parameter" } });
  });
});
