import { describe, expect, it } from "vitest";
import { type Folded, foldedCache } from "./folded-cache.ts";

const folded = (commands: number): Folded => ({
  state: {},
  position: commands,
  version: commands,
  commandId: `c${commands - 1}`,
  commands: {
    newest: new Map(Array.from({ length: commands }, (_, n) => [`c${n}`, [`c${n}`, n, 0]])),
    spilledUntil: 0,
  },
  savedVersion: 0,
  behind: false,
});

const holds = (cache: ReturnType<typeof foldedCache>, keys: string) =>
  [...keys].filter((key) => cache.get(key) !== undefined).join("");

describe("foldedCache", () => {
  it("gives back what was put last under a key", () => {
    const cache = foldedCache();
    const newer = folded(2);
    cache.set("a", folded(1));
    cache.set("a", newer);
    expect(cache.get("a")).toBe(newer);
    cache.drop("a");
    expect(cache.get("a")).toBeUndefined();
  });

  it("lets the least recently used go when there are too many aggregates", () => {
    const cache = foldedCache({ aggregatesMax: 3 });
    for (const key of "abc") cache.set(key, folded(1));
    cache.get("a");
    cache.set("d", folded(1));
    expect(holds(cache, "abcd")).toBe("acd");
  });

  it("lets as many go as the commands of a newer one need, never that one itself", () => {
    const cache = foldedCache({ commandsMax: 10 });
    for (const key of "abc") cache.set(key, folded(3));
    cache.set("d", folded(6));
    expect(holds(cache, "abcd")).toBe("cd");
    cache.set("e", folded(11));
    expect(holds(cache, "abcde")).toBe("e");
  });

  it("counts an aggregate that grew, was replaced or was dropped once, as it is now", () => {
    const cache = foldedCache({ commandsMax: 10 });
    const growing = folded(1);
    cache.set("a", growing);
    cache.set("b", folded(5));
    for (let n = 0; n < 3; n++) growing.commands.newest.set(`more-${n}`, [`more-${n}`, n, 0]);
    cache.set("a", growing);
    expect(holds(cache, "ab")).toBe("ab");
    cache.drop("b");
    cache.set("c", folded(6));
    expect(holds(cache, "ac")).toBe("ac");
  });
});
