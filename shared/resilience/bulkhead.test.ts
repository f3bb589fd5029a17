import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Sleep } from "../runtime/clock.ts";
import { type BulkheadPolicy, bulkhead } from "./bulkhead.ts";
import type { BulkheadSlot } from "./bulkhead-slots.ts";

/** Time that passes only when told: each sleeper wakes at its own instant, in order. */
const virtualTime = () => {
  const time = { now: 0 };
  let sleepers: { at: number; wake: () => void }[] = [];
  const sleep: Sleep = (ms, signal) =>
    new Promise((resolve, reject) => {
      sleepers.push({ at: time.now + ms, wake: resolve });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number) => {
    const until = time.now + ms;
    await settled();
    for (;;) {
      const next = sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      sleepers = sleepers.filter((sleeper) => sleeper !== next);
      time.now = next.at;
      next.wake();
      await settled();
    }
    time.now = until;
  };
  return { time, sleep, pass };
};

const stand = (policy: BulkheadPolicy) => {
  const { time, sleep, pass } = virtualTime();
  const world = { policy };
  const subject = bulkhead({ policy: () => world.policy, clock: () => time.now, sleep });
  return { world, time, pass, subject };
};

const slotOf = (slot: BulkheadSlot | undefined): BulkheadSlot => {
  if (slot === undefined) throw new Error("expected a slot");
  return slot;
};

describe("a bulkhead", () => {
  test("refuses what is more than allowed, until a slot is given back", () => {
    const { subject } = stand({ concurrent: 2 });
    const first = slotOf(subject.enter());
    subject.enter();
    expect(subject.enter()).toBeUndefined();
    subject.leave(first);
    expect(subject.enter()).toBeDefined();
    expect(subject.metrics()).toEqual({ inFlight: 2, waiting: 0, refused: 1, takenBack: 0 });
  });

  test("frees a slot once, however often it is given back", () => {
    const { subject } = stand({ concurrent: 1 });
    const slot = slotOf(subject.enter());
    subject.leave(slot);
    slotOf(subject.enter());
    subject.leave(slot);
    expect(subject.enter()).toBeUndefined();
  });

  test("takes back a slot whose holder is gone, and then nothing from its next holder", () => {
    const { subject, time } = stand({ concurrent: 1, heldMsMax: 60_000 });
    const lost = slotOf(subject.enter());
    time.now += 60_000;
    expect(subject.enter()).toBeUndefined();
    time.now += 1_001;
    expect(subject.enter()).toBeDefined();
    subject.leave(lost);
    expect(subject.metrics()).toMatchObject({ inFlight: 1, takenBack: 1 });
  });

  test("goes by another bound from the next call on, and lets those under way end", () => {
    const { subject, world } = stand({ concurrent: 3 });
    const slots = [subject.enter(), subject.enter(), subject.enter()].map(slotOf);
    world.policy = { concurrent: 1 };
    for (const slot of slots) {
      expect(subject.enter()).toBeUndefined();
      subject.leave(slot);
    }
    expect(subject.enter()).toBeDefined();
  });
});

describe("a call that waits", () => {
  test("gets the slot that is given back in time", async () => {
    const { subject, pass } = stand({ concurrent: 1, queue: 1, waitMs: 100 });
    const slot = slotOf(subject.enter());
    const waiting = subject.wait();
    await pass(50);
    subject.leave(slot);
    await pass(50);
    expect(await waiting).toBeDefined();
  });

  test("is refused after its time, and one too many at once", async () => {
    const { subject, pass } = stand({ concurrent: 1, queue: 1, waitMs: 100 });
    subject.enter();
    const waiting = subject.wait();
    expect(await subject.wait()).toBeUndefined();
    await pass(100);
    expect(await waiting).toBeUndefined();
    expect(subject.metrics()).toEqual({ inFlight: 1, waiting: 0, refused: 2, takenBack: 0 });
  });

  test("is not overtaken by one that comes when a slot is free again", async () => {
    const { subject, pass } = stand({ concurrent: 1, queue: 1, waitMs: 100 });
    const slot = slotOf(subject.enter());
    const waiting = subject.wait();
    await pass(10);
    subject.leave(slot);
    expect(subject.enter()).toBeUndefined();
    await pass(10);
    expect(await waiting).toBeDefined();
  });

  test("leaves the line with its signal's reason", async () => {
    const { subject, pass } = stand({ concurrent: 1, queue: 1, waitMs: 100 });
    subject.enter();
    const gone = new AbortController();
    const waiting = subject.wait(gone.signal);
    await pass(10);
    gone.abort(new Error("the client went away"));
    await expect(waiting).rejects.toThrow("the client went away");
    expect(subject.metrics().waiting).toBe(0);
  });

  test("holds nobody up when its request is gone and its timer never comes", async () => {
    const time = { now: 0 };
    let sleepers = 0;
    const subject = bulkhead({
      policy: () => ({ concurrent: 1, queue: 5, waitMs: 100 }),
      clock: () => time.now,
      sleep: async (ms) => {
        sleepers += 1;
        if (sleepers === 1) await new Promise(() => undefined);
        time.now += ms;
      },
    });
    const slot = slotOf(subject.enter());
    void subject.wait();
    await Promise.resolve();
    subject.leave(slot);
    expect(subject.enter()).toBeUndefined();
    time.now += 101;
    expect(subject.enter()).toBeDefined();
  });

  test("has its turn in the order of coming", async () => {
    const { subject, pass } = stand({ concurrent: 2, queue: 10, waitMs: 1_000 });
    const held = [slotOf(subject.enter()), slotOf(subject.enter())];
    const served: number[] = [];
    for (let index = 0; index < 6; index++) {
      void subject.wait().then((slot) => {
        held.push(slotOf(slot));
        served.push(index);
      });
      await pass(3);
    }
    for (let round = 0; round < 6; round++) {
      subject.leave(slotOf(held.shift()));
      await pass(7);
    }
    expect(served).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

type Step =
  | { readonly do: "enter" | "wait" }
  | { readonly do: "leave"; readonly which: number }
  | { readonly do: "clock"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom("enter" as const, "wait" as const) }),
  fc.record({ do: fc.constant("leave" as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant("clock" as const), ms: fc.integer({ min: 0, max: 60 }) }),
);
const bounds = fc.record({ concurrent: fc.integer({ min: 0, max: 4 }), queue: fc.nat(4) });

test("under any sequence it is never over its bounds, and has all its slots again in the end", async () => {
  await fc.assert(
    fc.asyncProperty(bounds, fc.array(step, { maxLength: 40 }), async ({ concurrent, queue }, sequence) => {
      const { subject, pass } = stand({ concurrent, queue, waitMs: 50 });
      const given: BulkheadSlot[] = [];
      const open = new Set<BulkheadSlot>();
      const keep = (slot: BulkheadSlot | undefined) => {
        if (slot === undefined) return;
        expect(open.has(slot)).toBe(false);
        open.add(slot);
        given.push(slot);
      };
      for (const each of sequence) {
        if (each.do === "enter") keep(subject.enter());
        if (each.do === "wait") void subject.wait().then(keep);
        if (each.do === "clock") await pass(each.ms);
        if (each.do === "leave" && given.length > 0) {
          const slot = slotOf(given[each.which % given.length]);
          subject.leave(slot);
          open.delete(slot);
        }
        await pass(0);
        const { inFlight, waiting } = subject.metrics();
        expect(inFlight).toBe(open.size);
        expect(inFlight).toBeLessThanOrEqual(concurrent);
        expect(waiting).toBeLessThanOrEqual(queue);
      }
      await pass(100);
      for (const slot of open) subject.leave(slot);
      open.clear();
      for (let index = 0; index < concurrent; index++) keep(slotOf(subject.enter()));
      expect(subject.enter()).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});
