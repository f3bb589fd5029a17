import { expect, test } from "vitest";
import { flushLease } from "./flush-lease.ts";

/** A lease whose time only moves by `advance`; `moreFor(n)` makes the next n flushes leave something behind. */
const leaseUnderTest = () => {
  let now = 0;
  let remaining = 0;
  let cancelNext = false;
  const sleepers: { at: number; wake: () => void }[] = [];
  const flushes: number[] = [];
  const flushSoon = flushLease({
    intervalMs: 1_000,
    clock: () => now,
    sleep: (ms) =>
      new Promise((wake) => {
        if (!cancelNext) sleepers.push({ at: now + ms, wake });
        cancelNext = false;
      }),
    flush: async () => {
      flushes.push(now);
    },
    expectsMore: () => remaining-- > 0,
  });
  return {
    flushes,
    /** Whether this caller's `waitUntil` was asked to carry the loop. */
    carries() {
      let carried = false;
      flushSoon(() => {
        carried = true;
      });
      return carried;
    },
    carriesAndIsCancelled() {
      cancelNext = true;
      return this.carries();
    },
    moreFor(flushesMore: number) {
      remaining = flushesMore;
    },
    async advance(ms: number) {
      const until = now + ms;
      for (;;) {
        const due = sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        now = due.at;
        sleepers.splice(sleepers.indexOf(due), 1);
        due.wake();
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      }
      now = until;
    },
  };
};

test("a thousand callers at once make one flush, a second later", async () => {
  const lease = leaseUnderTest();
  const carriers = Array.from({ length: 1_000 }, () => lease.carries()).filter(Boolean);
  await lease.advance(60_000);
  expect(carriers.length).toBe(1);
  expect(lease.flushes).toEqual([1_000]);
});

test("what is left after a flush is flushed a second later without another caller", async () => {
  const lease = leaseUnderTest();
  lease.carries();
  lease.moreFor(2);
  await lease.advance(60_000);
  expect(lease.flushes).toEqual([1_000, 2_000, 3_000]);
});

test("the first caller after the last flush carries the next loop", async () => {
  const lease = leaseUnderTest();
  lease.carries();
  await lease.advance(1_500);
  expect(lease.carries()).toBe(true);
  await lease.advance(1_500);
  expect(lease.flushes).toEqual([1_000, 2_500]);
});

test("a cancelled request holds the others up for five seconds, not for ever", async () => {
  const lease = leaseUnderTest();
  expect(lease.carriesAndIsCancelled()).toBe(true);
  await lease.advance(4_999);
  expect(lease.carries()).toBe(false);
  await lease.advance(1);
  expect(lease.carries()).toBe(true);
  await lease.advance(1_000);
  expect(lease.flushes).toEqual([6_000]);
});

test("a loop that was taken over ends after its next flush", async () => {
  const lease = leaseUnderTest();
  lease.carries();
  lease.moreFor(1_000);
  await lease.advance(5_500);
  expect(lease.carries()).toBe(true);
  await lease.advance(2_000);
  expect(lease.flushes).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 6_500, 7_500]);
});

test("a loop that nobody takes over ends before the platform would end it", async () => {
  const lease = leaseUnderTest();
  lease.carries();
  lease.moreFor(1_000);
  await lease.advance(120_000);
  expect(lease.flushes.at(-1)).toBe(25_000);
  expect(lease.carries()).toBe(true);
});
