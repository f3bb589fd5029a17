import { describe, expect, it } from "vitest";
import type { Changes, Look } from "#shared/control/changes.ts";
import { recentEpoch } from "./recent-epoch.ts";

const LOOK: Look = { service: "orders", profile: "default", isolate: "a", epoch: 7 };
const COUNT = { service: "orders", rollout: "r", arm: "stable", answers: 1, failures: 0 } as const;
const REJECTED = { epoch: 7, faults: [] };

const setUp = () => {
  let now = 10_000;
  const state = { epoch: 7, asked: 0 };
  const recent = recentEpoch({ clock: () => now });
  const ask = async (look: Look): Promise<Changes | undefined> => {
    state.asked++;
    const { epoch } = state;
    return look.epoch === epoch ? undefined : { epoch, changedAt: 0, services: [], whole: false };
  };
  const look = (more: Partial<Look> = {}) => recent.look({ ...LOOK, ...more }, ask);
  return {
    state,
    recent,
    ask,
    look,
    pass: (ms: number) => {
      now += ms;
    },
  };
};

describe("a control isolate's memory", () => {
  it("says that nothing is new without asking, for a quarter of a second after it asked", async () => {
    const { state, look, pass } = setUp();
    await look();
    pass(249);
    expect(await look({ isolate: "b" })).toBeUndefined();
    expect(state.asked).toBe(1);
    pass(1);
    await look();
    expect(state.asked).toBe(2);
  });

  it("sees a change at the latest after that time", async () => {
    const { state, look, pass } = setUp();
    await look();
    state.epoch = 8;
    pass(100);
    expect(await look()).toBeUndefined();
    pass(150);
    expect(await look()).toMatchObject({ epoch: 8 });
  });

  it("asks for who has an older epoch, a newer one or none", async () => {
    const { state, look } = setUp();
    await look();
    for (const epoch of [0, 6, 8]) expect(await look({ epoch })).toMatchObject({ epoch: 7 });
    expect(state.asked).toBe(4);
  });

  it("lets every count and every report through", async () => {
    const { state, look } = setUp();
    await look();
    await look({ counts: [COUNT] });
    await look({ rejected: REJECTED });
    expect(state.asked).toBe(3);
    await look({ counts: [] });
    expect(state.asked).toBe(3);
  });

  it("asks after a change that came this way", async () => {
    const { state, recent, look } = setUp();
    await look();
    state.epoch = 8;
    recent.forget();
    expect(await look()).toMatchObject({ epoch: 8 });
  });

  it("is as old as the question, not as the answer", async () => {
    const { state, recent, look, ask, pass } = setUp();
    await recent.look(LOOK, async (asked) => {
      const answer = await ask(asked);
      pass(300);
      return answer;
    });
    await look();
    expect(state.asked).toBe(2);
  });

  it("remembers nothing of a question that failed", async () => {
    const { state, recent, look } = setUp();
    await expect(recent.look(LOOK, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    await look();
    expect(state.asked).toBe(1);
  });
});
