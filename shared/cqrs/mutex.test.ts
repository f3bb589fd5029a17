import { describe, expect, it } from "vitest";
import { keyedMutex } from "./mutex.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("keyedMutex", () => {
  it("lets one work at a time on a key, in the order of asking, and other keys meanwhile", async () => {
    const exclusively = keyedMutex();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const work =
      (name: string, until: Promise<void> = Promise.resolve()) =>
      async () => {
        log.push(`${name} begins`);
        await until;
        log.push(`${name} ends`);
        return name;
      };
    const all = [
      exclusively("k", work("first", gate.promise)),
      exclusively("k", work("second")),
      exclusively("k", work("third")),
      exclusively("other", work("elsewhere")),
    ];
    await turn();
    expect(log).toEqual(["first begins", "elsewhere begins", "elsewhere ends"]);
    gate.resolve();
    expect(await Promise.all(all)).toEqual(["first", "second", "third", "elsewhere"]);
    expect(log.slice(3)).toEqual([
      "first ends",
      "second begins",
      "second ends",
      "third begins",
      "third ends",
    ]);
  });

  it("passes a failure to its own caller only", async () => {
    const exclusively = keyedMutex();
    const failed = exclusively("k", async () => Promise.reject(new Error("failed")));
    const next = exclusively("k", async () => "done");
    await expect(failed).rejects.toThrow("failed");
    expect(await next).toBe("done");
  });
});
