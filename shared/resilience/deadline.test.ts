import fc from "fast-check";
import { expect, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { LIMITS } from "../limits.ts";
import { deadlineFrom } from "./deadline.ts";
import { timerOf } from "./deadline-in-virtual-time.ts";

const start = (headers: Record<string, string> = {}, client = new AbortController()) => {
  const time = virtualTime();
  let timers = 0;
  const countingTimer: typeof timer = (ms, run) => {
    timers++;
    const stop = timer(ms, run);
    return () => {
      timers--;
      stop();
    };
  };
  const timer = timerOf(time);
  const request = { headers: new Headers(headers), signal: client.signal };
  const deadline = deadlineFrom(request, {
    clock: time.clock,
    timer: countingTimer,
    maximumMs: 10_000,
    defaultMs: 2_000,
  });
  return { time, deadline, client, timers: () => timers };
};

test("a caller gets what it asks for up to the maximum, and the default where it does not say", () => {
  expect(start({ "skerry-deadline": "300" }).deadline.remainingMs()).toBe(300);
  expect(start({ "skerry-deadline": "99999" }).deadline.remainingMs()).toBe(10_000);
  expect(start({ "grpc-timeout": "1H" }).deadline.remainingMs()).toBe(10_000);
  expect(start({ "skerry-deadline": "for ever" }).deadline.remainingMs()).toBe(2_000);
  expect(start().deadline.remainingMs()).toBe(2_000);
});

test("it is over when nothing remains, and tells the next hop so", async () => {
  const { time, deadline } = start({ "skerry-deadline": "300" });
  await time.pass(299);
  expect(deadline.isOver()).toBe(false);
  await time.pass(1);
  expect(deadline.isOver()).toBe(true);
  await time.pass(50);
  expect(deadline.remainingMs()).toBe(-50);
  const headers = new Headers();
  deadline.carry(headers);
  expect(headers.get("skerry-deadline")).toBe("0");
});

test("the next hop gets what remains, less a margin, in whole milliseconds", async () => {
  const { time, deadline } = start({ "grpc-timeout": "250500u" });
  await time.pass(100);
  const headers = new Headers({ "skerry-deadline": "99999" });
  deadline.carry(headers);
  expect(headers.get("skerry-deadline")).toBe(`${150 - LIMITS.deadlineMarginMs}`);
  expect(headers.has("grpc-timeout")).toBe(false);
});

test("grpc-timeout is told where it stands", async () => {
  const { deadline } = start({ "grpc-timeout": "1S" });
  const headers = new Headers({ "grpc-timeout": "1S" });
  deadline.carry(headers);
  expect(headers.get("grpc-timeout")).toBe(`${1_000 - LIMITS.deadlineMarginMs}m`);
});

test("over any number of hops each has less than the one before", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 1, max: 20 }), (ms, hops) => {
      let headers = new Headers({ "skerry-deadline": `${ms}`, "grpc-timeout": `${ms}m` });
      for (let hop = 1; hop <= hops; hop++) {
        start(Object.fromEntries(headers)).deadline.carry(headers);
        headers = new Headers(headers);
        const expected = Math.max(0, ms - hop * LIMITS.deadlineMarginMs);
        expect(headers.get("skerry-deadline")).toBe(`${expected}`);
        expect(headers.get("grpc-timeout")).toBe(`${expected}m`);
      }
    }),
  );
});

test("there is one signal, and no timer before it is asked for", () => {
  const { deadline, timers } = start();
  deadline.remainingMs();
  deadline.carry(new Headers());
  expect(timers()).toBe(0);
  expect(deadline.signal).toBe(deadline.signal);
  expect(timers()).toBe(1);
});

test("the signal aborts at the end, also when it was asked for late", async () => {
  const { time, deadline } = start({ "skerry-deadline": "300" });
  await time.pass(200);
  const { signal } = deadline;
  await time.pass(99);
  expect(signal.aborted).toBe(false);
  await time.pass(1);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ name: "TimeoutError", message: expect.stringContaining("300 ms") });
});

test("a client that goes away aborts the signal with its reason and leaves no timer", () => {
  const { deadline, client, timers } = start();
  const { signal } = deadline;
  client.abort("gone");
  expect(signal.reason).toBe("gone");
  expect(timers()).toBe(0);
});

test("a client that went away before leaves an aborted signal", () => {
  const client = new AbortController();
  client.abort("gone before");
  const { deadline, timers } = start({}, client);
  expect(deadline.signal.reason).toBe("gone before");
  expect(timers()).toBe(0);
});

test("once released a body streams on beyond the end, until the client goes away", async () => {
  const { time, deadline, client, timers } = start({ "skerry-deadline": "300" });
  const { signal } = deadline;
  deadline.release();
  expect(timers()).toBe(0);
  await time.pass(1_000);
  expect(signal.aborted).toBe(false);
  client.abort("gone");
  expect(signal.reason).toBe("gone");
});

test("a signal first asked for after the release has no timer", () => {
  const { deadline, timers } = start();
  deadline.release();
  expect(deadline.signal.aborted).toBe(false);
  expect(timers()).toBe(0);
});
