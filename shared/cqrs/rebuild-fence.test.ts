import { describe, expect, it } from "vitest";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { fenceName, rebuildFence } from "./rebuild-fence.ts";

const setUp = () => {
  const memory = memoryReadStore("rows");
  const start = () => {
    const told: { epoch: number; foreign: boolean }[] = [];
    let last = 0;
    const fence = rebuildFence(
      { projection: "p", store: memory.store },
      {
        last: () => last,
        taken(epoch, foreign) {
          told.push({ epoch, foreign });
          last = epoch;
        },
      },
    );
    const writes = () =>
      memory.store.apply({ projection: "q", from: 0, to: 0, changes: [], guards: fence.guards() });
    return { fence, told, writes };
  };
  return { memory, start };
};

describe("the fence of a rebuild", () => {
  it("lets statements through of the one who took it last, and of nobody else", async () => {
    const { start } = setUp();
    const [first, second] = [start(), start()];
    await first.fence.hold();
    expect(await first.writes()).toBe("applied");
    await second.fence.hold();
    expect([await first.writes(), await second.writes()]).toEqual(["moved", "applied"]);
    await first.fence.hold();
    expect(await first.writes()).toBe("moved");
    first.fence.lose();
    expect(first.fence.guards).toThrow("somebody else");
    await first.fence.hold();
    expect([await first.writes(), await second.writes()]).toEqual(["applied", "moved"]);
  });

  it("is held by one of many who take it at the same time", async () => {
    const { memory, start } = setUp();
    const all = Array.from({ length: 5 }, start);
    await Promise.all(all.map(({ fence }) => fence.hold()));
    const through = await Promise.all(all.map(({ writes }) => writes()));
    expect(through.filter((answer) => answer === "applied")).toHaveLength(1);
    expect(memory.checkpoints.get(fenceName("p"))).toBe(5);
  });

  it("ends what was guarded by it before, when it is renewed", async () => {
    const { memory, start } = setUp();
    const { fence, writes } = start();
    await fence.hold();
    const before = fence.guards();
    await fence.renew();
    expect(await memory.store.apply({ projection: "q", from: 0, to: 0, changes: [], guards: before })).toBe(
      "moved",
    );
    expect(await writes()).toBe("applied");
  });

  it("tells whether somebody else has held it since this one did", async () => {
    const { start } = setUp();
    const [first, second] = [start(), start()];
    await first.fence.hold();
    await first.fence.renew();
    await second.fence.hold();
    await first.fence.renew();
    expect(first.told.map(({ foreign }) => foreign)).toEqual([false, false, true]);
    expect(second.told).toEqual([{ epoch: 3, foreign: true }]);
  });
});
