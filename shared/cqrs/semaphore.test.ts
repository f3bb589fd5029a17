import { describe, expect, it } from "vitest";
import { semaphore } from "./semaphore.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("semaphore", () => {
  it("lets so many work at once, and the others in the order of asking", async () => {
    const inTurn = semaphore(2);
    const started: number[] = [];
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
    const all = gates.map(({ promise }, index) =>
      inTurn(() => {
        started.push(index);
        return promise;
      }),
    );
    await turn();
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve(1);
    await turn();
    expect(started).toEqual([0, 1, 2]);
    for (const [index, { resolve }] of gates.entries()) resolve(index);
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  it("hands a place on: whoever asks after that waits, too", async () => {
    const inTurn = semaphore(1);
    const never = () => new Promise<never>(() => {});
    const first = inTurn(async () => undefined);
    void inTurn(never);
    await first;
    await turn();
    let begun = false;
    void inTurn(async () => {
      begun = true;
    });
    await turn();
    expect(begun).toBe(false);
  });

  it("gives the place of work that failed to the next", async () => {
    const inTurn = semaphore(1);
    const failed = inTurn(async () => Promise.reject(new Error("failed")));
    const next = inTurn(async () => "done");
    await expect(failed).rejects.toThrow("failed");
    expect(await next).toBe("done");
    expect(await inTurn(async () => "again")).toBe("again");
  });
});
