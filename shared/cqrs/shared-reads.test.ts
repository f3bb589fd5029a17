import { describe, expect, it } from "vitest";
import { sharedReads } from "./shared-reads.ts";

/** Reads that end when they are told to, each with its number. */
const setUp = () => {
  const share = sharedReads<number>();
  const begun: PromiseWithResolvers<number>[] = [];
  const ask = (key = "k") =>
    share(key, () => {
      const gate = Promise.withResolvers<number>();
      begun.push(gate);
      return gate.promise;
    });
  return { ask, begun };
};
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("sharedReads", () => {
  it("begins at once, and gives all who ask meanwhile one other read that begins after it", async () => {
    const { ask, begun } = setUp();
    const first = ask();
    const others = Array.from({ length: 500 }, () => ask());
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]?.resolve(1);
    expect(await first).toBe(1);
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]?.resolve(2);
    expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  });

  it("reads anew for who asks after an end", async () => {
    const { ask, begun } = setUp();
    const first = ask();
    begun[0]?.resolve(1);
    await first;
    const second = ask();
    await turn();
    begun[1]?.resolve(2);
    expect(await second).toBe(2);
  });

  it("reads different things side by side", () => {
    const { ask, begun } = setUp();
    void ask("k");
    void ask("other");
    expect(begun).toHaveLength(2);
  });

  it("passes a failure to those who shared the read, and to nobody after them", async () => {
    const { ask, begun } = setUp();
    const failing = ask();
    const next = ask();
    begun[0]?.reject(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    await turn();
    begun[1]?.resolve(2);
    expect(await next).toBe(2);
  });
});
