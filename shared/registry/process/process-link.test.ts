import { expect, test } from "vitest";
import * as z from "zod";
import { virtualTime } from "#test/fake/virtual-time.ts";
import type { Changes } from "../../control/changes.ts";
import type { KeyValue } from "../../storage/key-value.ts";
import { sqliteKeyValue } from "../../storage/sqlite-key-value.ts";
import { processLink } from "./process-link.ts";

const schema = z.object({ greeting: z.string().default("hello") });

const changesAt = (epoch: number, greeting: string): Changes => ({
  epoch,
  changedAt: 0,
  whole: true,
  services: [
    {
      service: "orders",
      epoch,
      instances: [{ id: "a", version: "1.0.0", state: "up", url: "http://a", weight: 1, metadata: {} }],
    },
  ],
  config: { service: "echo", profile: "default", epoch, value: { greeting }, flags: {} },
});

/** A process whose control plane knows `published`, or is away while that is undefined. */
const processUnderTest = (published: Changes | undefined, snapshots?: KeyValue) => {
  const time = virtualTime(0);
  const asked: { at: number; url: URL; authorization: string | null }[] = [];
  let newest = published;
  const link = processLink({
    gatewayUrl: "https://shop.example",
    token: "secret",
    service: "echo",
    clock: time.clock,
    sleep: time.sleep,
    ...(snapshots && { snapshots }),
    fetch: async (request) => {
      const url = new URL(request.url);
      asked.push({ at: time.clock(), url, authorization: request.headers.get("authorization") });
      if (!newest) throw new Error("connection refused");
      const isNews = newest.epoch > Number(url.searchParams.get("epoch"));
      return isNews ? Response.json(newest) : new Response(null, { status: 204 });
    },
  });
  const config = link.config(schema);
  const start = async () => {
    const starting = link.start();
    await time.pass(1_000);
    await starting;
  };
  return {
    link,
    time,
    asked,
    start,
    greeting: () => config.get().greeting,
    publish: (changes: Changes | undefined) => {
      newest = changes;
    },
  };
};

const memory = () => sqliteKeyValue({ path: ":memory:", clock: () => 0 });

test("it asks through the gateway, with its token, for what is newer than what it has", async () => {
  const { start, asked, link, greeting } = processUnderTest(changesAt(7, "hi"));
  await start();
  expect(asked[0]?.url.href).toBe(
    "https://shop.example/control/v1/changes?service=echo&profile=default&epoch=0",
  );
  expect(asked[0]?.authorization).toBe("Bearer secret");
  expect([link.epoch(), greeting(), link.entry("orders")?.instances.length]).toEqual([7, "hi", 1]);
});

test("without being told it looks every three seconds", async () => {
  const { start, asked, time, publish, greeting } = processUnderTest(changesAt(7, "hi"));
  await start();
  publish(changesAt(8, "hey"));
  await time.pass(9_000);
  expect(greeting()).toBe("hey");
  const pauses = asked.map(({ at }, index) => at - (asked[index - 1]?.at ?? 0)).slice(1);
  expect(new Set(pauses)).toEqual(new Set([3_000]));
  expect(asked.at(-1)?.url.searchParams.get("epoch")).toBe("8");
});

test("an epoch that it is told of is looked for at once", async () => {
  const { start, link, time, publish, greeting, asked } = processUnderTest(changesAt(7, "hi"));
  await start();
  publish(changesAt(8, "hey"));
  const before = asked.length;
  link.saw(8);
  await time.settle();
  expect([greeting(), asked.length - before]).toEqual(["hey", 1]);
});

test("an epoch that it has already makes it look no sooner", async () => {
  const { start, link, time, asked } = processUnderTest(changesAt(7, "hi"));
  await start();
  link.saw(7);
  await time.pass(1_500);
  expect(asked.length).toBe(1);
});

test("an epoch that nobody has does not make it ask without end", async () => {
  const { start, link, time, asked } = processUnderTest(changesAt(7, "hi"));
  await start();
  link.saw(1_000_000);
  await time.pass(60_000);
  expect(asked.length).toBeLessThan(40);
});

test("while the control plane is away it keeps what it knows, and takes what is new afterwards", async () => {
  const { start, time, publish, greeting } = processUnderTest(changesAt(7, "hi"));
  await start();
  publish(undefined);
  await time.pass(60_000);
  expect(greeting()).toBe("hi");
  publish(changesAt(9, "back"));
  await time.pass(3_000);
  expect(greeting()).toBe("back");
});

test("a start without the control plane goes by what was kept", async () => {
  using store = memory();
  const first = processUnderTest(changesAt(7, "hi"), store);
  await first.start();
  first.publish(changesAt(8, "hey"));
  await first.time.pass(6_000);
  first.link.close();
  const second = processUnderTest(undefined, store);
  await second.start();
  expect([second.link.loaded(), second.greeting()]).toEqual([true, "hey"]);
  expect(second.link.entry("orders")?.instances.length).toBe(1);
});

test("only the newest is kept", async () => {
  using store = memory();
  const { start, time, publish } = processUnderTest(changesAt(7, "hi"), store);
  await start();
  for (const epoch of [8, 9, 10]) {
    publish(changesAt(epoch, `${epoch}`));
    await time.pass(3_000);
  }
  const keys: string[][] = [];
  for await (const key of store.list(["snapshots"])) keys.push(key);
  expect(keys).toEqual([
    ["snapshots", "10", "config", "echo", "default"],
    ["snapshots", "10", "registry"],
  ]);
});

test("a store that fails is no reason not to know", async () => {
  const fail = () => Promise.reject(new Error("disk full"));
  const store: KeyValue = { get: fail, put: fail, remove: fail, list: () => memory().list([]) };
  const { start, time, publish, greeting } = processUnderTest(changesAt(7, "hi"), store);
  await start();
  publish(changesAt(8, "hey"));
  await time.pass(3_000);
  expect(greeting()).toBe("hey");
});

test("a start with nothing at all takes a second, and the defaults", async () => {
  const { start, link, time, greeting } = processUnderTest(undefined);
  await start();
  expect([time.clock(), link.loaded(), greeting()]).toEqual([1_000, false, "hello"]);
});

test("closing ends the looking", async () => {
  const { start, link, time, asked } = processUnderTest(changesAt(7, "hi"));
  await start();
  link.close();
  const before = asked.length;
  await time.pass(60_000);
  expect(asked.length).toBe(before);
});
