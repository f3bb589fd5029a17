import { describe, expect, it } from "vitest";
import { alarmClock } from "./alarm-clock.ts";
import type { Scheduled } from "./part.ts";

const setUp = (parts: Record<string, Scheduled>) => {
  const state = { now: 10_000, set: [] as number[], fails: false };
  const clock = alarmClock({
    alarm: {
      async set(atMs) {
        if (state.fails) throw new Error("storage is away");
        state.set.push(atMs);
      },
      clear: async () => undefined,
    },
    clock: () => state.now,
    parts: () => parts,
  });
  return { state, clock };
};

/** Due at that time until it ran. */
const part = (at: number | undefined, run: () => void = () => undefined) => {
  let due = at;
  return {
    due: () => due,
    async run() {
      due = undefined;
      run();
    },
    dueAt(next: number) {
      due = next;
    },
  };
};

describe("the alarm of all parts", () => {
  it("is set for the earliest one, and moved only forward", async () => {
    const late = part(30_000);
    const early = part(20_000);
    const { state, clock } = setUp({ late, early, never: part(undefined) });
    await clock.arm();
    await clock.arm();
    early.dueAt(25_000);
    await clock.arm();
    early.dueAt(15_000);
    await clock.arm();
    expect(state.set).toEqual([20_000, 15_000]);
  });

  it("is set anew when it did not ring for a minute: then it is lost", async () => {
    const { state, clock } = setUp({ late: part(20_000) });
    await clock.arm();
    state.now = 80_000;
    await clock.arm();
    expect(state.set).toEqual([20_000]);
    state.now = 80_001;
    await clock.arm();
    expect(state.set).toEqual([20_000, 80_001]);
  });

  it("is never set to a time that is over, which the platform may refuse", async () => {
    const { state, clock } = setUp({ overdue: part(0) });
    await clock.arm();
    expect(state.set).toEqual([10_000]);
  });

  it("rings for those that are due, and is set for the others", async () => {
    const ran: string[] = [];
    const { state, clock } = setUp({
      now: part(10_000, () => ran.push("now")),
      later: part(12_000, () => ran.push("later")),
    });
    await clock.ring();
    expect(ran).toEqual(["now"]);
    expect(state.set).toEqual([12_000]);
  });

  it("is not lost when a part throws: the others run, and it runs again after a second", async () => {
    let runs = 0;
    const broken: Scheduled = {
      due: () => 10_000,
      async run() {
        runs++;
        throw new Error("broken");
      },
    };
    const ran: string[] = [];
    const { state, clock } = setUp({ broken, sound: part(10_000, () => ran.push("sound")) });
    await clock.ring();
    expect(ran).toEqual(["sound"]);
    expect(state.set).toEqual([11_000]);
    state.now = 10_500;
    await clock.ring();
    expect(runs).toBe(1);
    state.now = 11_000;
    await clock.ring();
    expect(runs).toBe(2);
  });

  it("is not lost when a part cannot say when it is due", async () => {
    const { state, clock } = setUp({
      broken: {
        due: () => {
          throw new Error("broken");
        },
        run: async () => undefined,
      },
      sound: part(60_000),
    });
    await clock.ring();
    expect(state.set).toEqual([11_000]);
  });

  it("rejects when the next one cannot be set, so that the platform rings again", async () => {
    const { state, clock } = setUp({ later: part(12_000) });
    state.fails = true;
    await expect(clock.ring()).rejects.toThrow("storage is away");
    state.fails = false;
    await clock.ring();
    expect(state.set).toEqual([12_000]);
  });

  it("stands within a second before a change, whatever the parts have to do", async () => {
    const { state, clock } = setUp({ late: part(60_000) });
    await clock.arm();
    await clock.beforeChange();
    await clock.beforeChange();
    expect(state.set).toEqual([60_000, 11_000]);
  });
});
