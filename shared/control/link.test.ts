import fc from "fast-check";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { LIMITS } from "../limits.ts";
import type { KeyValue } from "../storage/key-value.ts";
import type { Changes, Look } from "./changes.ts";
import { EPOCH_FIELD } from "./epoch-field.ts";
import { type ControlLinkOptions, controlLink } from "./link.ts";
import { readyFor } from "./ready-for.ts";
import { REGISTRY_POINTER, registrySnapshot } from "./snapshot-keys.ts";

const at = (epoch: number, whole = false): Changes => ({
  epoch,
  changedAt: 0,
  whole,
  services: [
    {
      service: "orders",
      epoch,
      instances: [{ id: `o-${epoch}`, version: "1.0.0", state: "up", weight: 1, metadata: {} }],
    },
  ],
});

type Answer = Changes | undefined | Error;

/** A control plane whose looks stay open until the test answers them. */
const fakeControl = () => {
  const asked: { look: Look; signal: AbortSignal; answer: (answer: Answer) => void }[] = [];
  const look = (question: Look, signal: AbortSignal) =>
    new Promise<Changes | undefined>((resolve, reject) => {
      const answer = (given: Answer) => (given instanceof Error ? reject(given) : resolve(given));
      asked.push({ look: question, signal, answer });
    });
  return { asked, look };
};

const snapshotsOf = (snapshot: Changes | undefined, before: Promise<void> = Promise.resolve()): KeyValue => {
  const stored = new Map<string, string>();
  if (snapshot) {
    stored.set(REGISTRY_POINTER.join("/"), JSON.stringify({ epoch: snapshot.epoch }));
    stored.set(registrySnapshot(snapshot.epoch).join("/"), JSON.stringify(snapshot));
  }
  return { get: (key: readonly string[]) => before.then(() => stored.get(key.join("/"))) } as KeyValue;
};

const start = (options: Partial<ControlLinkOptions> = {}) => {
  const time = virtualTime(1_000_000);
  const control = fakeControl();
  const link = controlLink({
    service: "orders",
    profile: "default",
    isolate: "isolate-1",
    look: control.look,
    clock: time.clock,
    sleep: time.sleep,
    ...options,
  });
  const carried: Promise<unknown>[] = [];
  /** A request that has nothing else to do. */
  const request = () => link.lookSoon((work) => void carried.push(work));
  const answer = async (given: Answer, which = control.asked.length - 1) => {
    control.asked[which]?.answer(given);
    await time.settle();
  };
  const warm = async (epoch = 5) => {
    request();
    await answer(at(epoch, true));
  };
  return { time, control, link, carried, request, answer, warm };
};

test("an isolate looks with the first request, and then at most once a second, however many there are", async () => {
  const { time, control, request, answer } = start();
  request();
  await answer(at(1, true));
  for (let ms = 0; ms < 999; ms += 37) {
    request();
    await time.pass(37);
  }
  expect(control.asked).toHaveLength(1);
  await time.pass(1);
  request();
  request();
  expect(control.asked.map(({ look }) => look.epoch)).toEqual([0, 1]);
});

test("without requests nothing is asked", async () => {
  const { time, control, warm } = start();
  await warm();
  await time.pass(60_000);
  expect(control.asked).toHaveLength(1);
});

test("a newer epoch that was met is looked for at once, and only a tenth of a second after the last look began", async () => {
  const { time, control, link, request, answer, warm } = start();
  await warm(5);
  link.saw(6);
  await time.pass(LIMITS.lookAgainMs - 1);
  request();
  expect(control.asked).toHaveLength(1);
  await time.pass(1);
  request();
  expect(control.asked).toHaveLength(2);
  await answer(at(6));
  await time.pass(LIMITS.lookAgainMs);
  request();
  expect(control.asked).toHaveLength(2);
});

test("news that were met behind a look, or while it is under way, need no second request", async () => {
  for (const underWay of [false, true]) {
    const { time, control, link, request, answer, warm } = start();
    await warm(5);
    await time.pass(LIMITS.lookEveryMs);
    request();
    if (!underWay) await answer(at(5));
    link.saw(6);
    request();
    request();
    await time.pass(LIMITS.lookAgainMs);
    if (underWay) await answer(at(5), 1);
    await time.pass(LIMITS.lookAgainMs);
    expect(control.asked).toHaveLength(3);
    await answer(at(6), 2);
    expect(link.epoch()).toBe(6);
    await time.pass(LIMITS.lookEveryMs);
    expect(control.asked).toHaveLength(3);
  }
});

test("an epoch that is known, or older, is no news", async () => {
  const { time, control, link, request, warm } = start();
  await warm(5);
  link.saw(5);
  link.saw(4);
  await time.pass(500);
  request();
  expect(control.asked).toHaveLength(1);
});

test("an epoch that no look finds is given up, until something changes", async () => {
  const { time, control, link, request, answer, warm } = start();
  await warm(5);
  link.saw(99);
  for (let times = 0; times < 9; times++) {
    await time.pass(LIMITS.lookAgainMs);
    request();
    await answer(undefined);
  }
  // At 100, 200, 300, 400 and 500 ms after it was met; then it is not believed in.
  expect(control.asked).toHaveLength(6);
  link.saw(100);
  await time.pass(LIMITS.lookAgainMs);
  request();
  expect(control.asked).toHaveLength(7);
});

test("an epoch that was given up does not keep an isolate from looking for those that there are", async () => {
  const { time, control, link, request, answer, warm } = start();
  await warm();
  link.saw(999);
  await time.pass(1_000);
  request();
  await answer(undefined);
  link.saw(999);
  link.saw(6);
  await time.pass(100);
  request();
  expect(control.asked).toHaveLength(3);
  await answer(at(6));
  expect(link.epoch()).toBe(6);
});

test("one look is under way at a time, and a look that never settles holds the others up for a second at most", async () => {
  const { time, control, link, request } = start();
  link.saw(9);
  request();
  await time.pass(LIMITS.lookMs - 1);
  request();
  expect(control.asked).toHaveLength(1);
  await time.pass(1);
  request();
  expect(control.asked).toHaveLength(2);
});

test("a look that takes too long is aborted, and its request is not held up longer", async () => {
  const { time, control, carried, request } = start();
  request();
  await time.pass(LIMITS.lookMs);
  expect(control.asked[0]?.signal.aborted).toBe(true);
  expect(await carried[0]).toBe(false);
});

test("a look that fails keeps everything, and the next one is a second later", async () => {
  const { time, control, link, request, answer, warm } = start();
  await warm(5);
  await time.pass(1_000);
  request();
  await answer(new Error("connection refused"));
  expect(link.entry("orders")?.epoch).toBe(5);
  await time.pass(999);
  request();
  expect(control.asked).toHaveLength(2);
  await time.pass(1);
  request();
  expect(control.asked).toHaveLength(3);
});

test("a cold isolate waits for the look, which is better than the snapshot when it comes first", async () => {
  const slow = Promise.withResolvers<void>();
  const { time, link, answer } = start({ snapshots: snapshotsOf(at(3, true), slow.promise) });
  const loading = link.load();
  await answer(at(5, true));
  await loading;
  slow.resolve();
  await time.settle();
  expect([link.loaded(), link.epoch()]).toEqual([true, 5]);
});

test("a cold isolate goes on with the snapshot when that comes first, and then looks from the start", async () => {
  const { time, control, link, request, answer } = start({ snapshots: snapshotsOf(at(3, true)) });
  await link.load();
  expect([link.loaded(), link.epoch()]).toEqual([true, 3]);
  await answer(new Error("away"));
  await time.pass(1_000);
  request();
  expect(control.asked[1]?.look.epoch).toBe(0);
  await answer(at(4, true));
  expect(link.epoch()).toBe(4);
});

test("the look of a cold isolate is carried on when the snapshot was first", async () => {
  const { link, answer } = start({ snapshots: snapshotsOf(at(3, true)) });
  const carried: Promise<unknown>[] = [];
  await link.load((work) => void carried.push(work));
  await answer(at(4, true));
  await Promise.all(carried);
  expect(link.epoch()).toBe(4);
});

test("a cold isolate waits a second at most, and its next requests do not wait for another second", async () => {
  const never = new Promise<void>(() => undefined);
  const { time, control, link } = start({ snapshots: snapshotsOf(undefined, never) });
  let waited = false;
  const loading = link.load().then(() => {
    waited = true;
  });
  await time.pass(LIMITS.coldLookMs - 1);
  expect(waited).toBe(false);
  await time.pass(1);
  await loading;
  expect(link.loaded()).toBe(false);
  await link.load();
  expect(control.asked).toHaveLength(1);
  await time.pass(LIMITS.lookEveryMs);
  void link.load();
  expect(control.asked).toHaveLength(2);
});

test("a cold isolate without snapshots does not wait when the control plane refuses", async () => {
  const { link } = start({ look: () => Promise.reject(new Error("no binding")) });
  await link.load();
  expect([link.loaded(), link.epoch(), [...link.entries()]]).toEqual([false, 0, []]);
});

test("each cold request looks by itself: none waits for another one's look, which may never settle", async () => {
  const { control, link, answer } = start();
  void link.load();
  const second = link.load();
  expect(control.asked).toHaveLength(2);
  await answer(at(5, true), 1);
  await second;
  expect(link.loaded()).toBe(true);
});

test("before a refusal it looks once more, when the last look began a second ago or more", async () => {
  const { time, control, link, answer, warm } = start();
  await warm(5);
  expect(await link.lookNow()).toBe(false);
  expect(control.asked).toHaveLength(1);
  await time.pass(LIMITS.lookEveryMs);
  const looking = link.lookNow();
  await answer(at(6));
  expect(await looking).toBe(true);
  expect(link.epoch()).toBe(6);
});

test("before a refusal it waits a quarter of a second at most", async () => {
  const { time, control, link } = start();
  const looking = link.lookNow();
  await time.pass(LIMITS.lookNowMs);
  expect(await looking).toBe(false);
  expect(control.asked[0]?.signal.aborted).toBe(true);
});

test("before a refusal it waits for the look that is under way", async () => {
  const { time, link, request, answer, control } = start();
  request();
  const looking = link.lookNow();
  await answer(at(6, true));
  await time.pass(20);
  expect(await looking).toBe(true);
  expect(control.asked).toHaveLength(1);
});

const counted = { service: "orders", rollout: "r1", arm: "candidate", failed: true } as const;

test("counts ride on the next look and on no other, even if that fails: it may have been counted all the same", async () => {
  const { time, control, link, request, answer } = start();
  const sums = (look: number) => control.asked[look]?.look.counts?.map(({ answers }) => answers);
  request();
  link.count(counted);
  await answer(undefined);
  await time.pass(1_000);
  request();
  expect(sums(1)).toEqual([1]);
  await answer(new Error("away"));
  link.count(counted);
  link.count(counted);
  await time.pass(1_000);
  request();
  expect(sums(2)).toEqual([2]);
  await time.pass(1_000);
  request();
  expect(sums(3)).toBeUndefined();
});

test("a configuration that does not fit is told with the next looks, until one that fits is taken", async () => {
  const told = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { time, control, link, request, answer } = start();
  const config = link.config(z.strictObject({ quoteMs: z.int().default(1_000) }));
  const configured = (epoch: number, value: Record<string, string | number>) => ({
    ...at(epoch, epoch === 1),
    config: { service: "orders", profile: "default", epoch, value, flags: {} },
  });
  const next = async (given: Answer) => {
    request();
    await answer(given);
    await time.pass(1_000);
  };
  await next(configured(1, { quoteMs: 7 }));
  await next(configured(2, { quoteMs: "soon" }));
  const faults = [{ path: "quoteMs", message: "Invalid input: expected number, received string" }];
  expect([config.get().quoteMs, link.epoch(), config.faults()]).toEqual([7, 2, faults]);
  await next(configured(3, { quoteMs: 8 }));
  expect(control.asked[2]?.look.rejected).toEqual({ epoch: 2, faults });
  await next(undefined);
  expect(control.asked[3]?.look.rejected).toBeUndefined();
  expect(config.get().quoteMs).toBe(8);
  expect(told).toHaveBeenCalledOnce();
  told.mockRestore();
});

/** What happens next to a link, and to which of the looks that are open or on their way back. */
const step = fc.record({
  do: fc.constantFrom(
    ...(["publish", "publish", "request", "load", "load", "hear", "snapshot", "fail"] as const),
    ...(["see", "see", "see", "answer", "answer", "answer"] as const),
  ),
  which: fc.nat(5),
  ms: fc.constantFrom(0, 100, 1_000),
});
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

test("whatever is slow, fails or comes out of order, an isolate never goes back, and holds what it took last", async () => {
  const run = async (steps: readonly Step[]) => {
    let published = 1;
    let release = () => {};
    const snapshot = at(1, true);
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { time, control, link, request } = start({ snapshots: snapshotsOf(snapshot, held) });
    /** Answers as the control plane made them when it was asked, on their way back. */
    const onTheWay: { given: Changes | undefined; send: (answer: Answer) => void }[] = [];
    let before = 0;
    for (const { do: what, which, ms } of steps) {
      if (what === "publish") published++;
      if (what === "hear") link.saw(published);
      if (what === "snapshot") release();
      if (what === "load") void link.load();
      if (what === "request") {
        await time.pass(ms);
        request();
      }
      if (what === "see" && control.asked.length > 0) {
        const [open] = control.asked.splice(which % control.asked.length, 1);
        if (open) {
          const { epoch } = open.look;
          const given = epoch === published ? undefined : at(published, epoch === 0);
          onTheWay.push({ given, send: open.answer });
        }
      }
      if ((what === "answer" || what === "fail") && onTheWay.length > 0) {
        const [one] = onTheWay.splice(which % onTheWay.length, 1);
        one?.send(what === "fail" ? new Error("lost") : one.given);
      }
      await time.settle();
      expect(link.epoch()).toBeGreaterThanOrEqual(before);
      expect(link.entry("orders")?.epoch ?? 0).toBe(link.epoch());
      before = link.epoch();
    }
    // As soon as the control plane answers, everything is known that there is.
    await time.pass(LIMITS.lookEveryMs);
    control.asked.length = 0;
    await time.pass(LIMITS.lookEveryMs);
    request();
    const [last] = control.asked;
    last?.answer(last.look.epoch === published ? undefined : at(published, last.look.epoch === 0));
    await time.settle();
    expect(link.epoch()).toBe(published);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), run), { numRuns: 300 });
});

test("a request that tells of news waits for a look only where the isolate had no traffic to hear of it", async () => {
  const { time, control, link, answer, warm } = start();
  const told = (epoch: string) =>
    readyFor({ headers: new Headers({ [EPOCH_FIELD]: epoch }) }, link, () => undefined);
  await warm(5);
  await time.pass(LIMITS.lookEveryMs);
  expect(told("6")).toBeUndefined();
  await time.pass(1);
  expect([told("5"), told("nonsense"), told("")]).toEqual([undefined, undefined, undefined]);
  expect(readyFor({ headers: new Headers() }, link, () => undefined)).toBeUndefined();
  const ready = told("6");
  expect(control.asked).toHaveLength(2);
  await answer(at(6));
  await ready;
  expect(link.epoch()).toBe(6);
  expect(told("7")).toBeUndefined();
});

const REPORT = { service: "orders", instance: "o-5", state: "open", calls: 20, failures: 20 } as const;

test("what a breaker saw goes with the next look, again when that one failed, and then no more", async () => {
  const { time, control, link, request, answer, warm } = start();
  await warm(5);
  link.reportBreaker(REPORT);
  for (const given of [new Error("away"), undefined, undefined]) {
    await time.pass(LIMITS.lookEveryMs);
    request();
    await answer(given);
  }
  expect(control.asked.map(({ look }) => look.breakers)).toEqual([undefined, [REPORT], [REPORT], undefined]);
});

test("news of breakers are heard with the look that brings them, and change nothing else that is known", async () => {
  const { time, link, request, answer, warm } = start();
  const heard: unknown[] = [];
  link.onBreakerNews((news) => heard.push(news));
  await warm(5);
  const breakers = {
    hints: [{ service: "orders", instance: "o-5", id: 1, forMs: 20_000 }],
    asked: [{ service: "orders", instance: "o-5" }],
  };
  for (const given of [
    { epoch: 5, changedAt: 0, services: [], whole: false, breakers },
    undefined,
    undefined,
  ]) {
    await time.pass(LIMITS.lookEveryMs);
    request();
    await answer(given);
  }
  expect(heard).toEqual([breakers, { hints: [], asked: [] }]);
  expect(link.epoch()).toBe(5);
  expect(link.entry("orders")?.instances).toHaveLength(1);
});
