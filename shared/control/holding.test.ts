import { expect, test } from "vitest";
import type { ServiceEntry } from "../registry/instance.ts";
import type { Changes } from "./changes.ts";
import { holding } from "./holding.ts";

const entry = (service: string, epoch: number, instances = 1): ServiceEntry => ({
  service,
  epoch,
  instances: Array.from({ length: instances }, (_, index) => ({
    id: `${service}-${index}`,
    version: "1.0.0",
    state: "up",
    weight: 1,
    metadata: {},
  })),
});
const changes = (epoch: number, services: readonly ServiceEntry[], whole = false): Changes => ({
  epoch,
  changedAt: 0,
  services,
  whole,
});

test("what changed is put beside what is known, and a service without instances is forgotten", () => {
  const held = holding();
  held.take(changes(3, [entry("orders", 1), entry("catalog", 3)], true), held.begin());
  held.take(changes(5, [entry("orders", 5, 0), entry("payments", 4)]), held.begin());
  expect([...held.entries()].map(({ service }) => service)).toEqual(["catalog", "payments"]);
  expect(held.entry("orders")).toBeUndefined();
  expect(held.epoch()).toBe(5);
});

test("a whole answer forgets what it does not name", () => {
  const held = holding();
  held.take(changes(3, [entry("orders", 1), entry("catalog", 3)], true), held.begin());
  held.take(changes(9, [entry("catalog", 3)], true), held.begin());
  expect([...held.entries()].map(({ service }) => service)).toEqual(["catalog"]);
});

test("an answer that was asked for earlier and comes later takes nothing back", () => {
  const held = holding();
  const slow = held.begin();
  held.take(changes(5, [entry("catalog", 5)], true), held.begin());
  expect(held.take(changes(4, [entry("orders", 4)], true), slow)).toBe(false);
  expect(held.take(changes(4, [entry("orders", 4)]), slow)).toBe(false);
  expect(held.epoch()).toBe(5);
  expect(held.entry("orders")).toBeUndefined();
});

test("a control plane that began anew is followed back to its smaller epoch", () => {
  const held = holding();
  held.take(changes(100, [entry("orders", 100)], true), held.begin());
  expect(held.take(changes(2, [entry("catalog", 2)], true), held.begin())).toBe(true);
  expect(held.epoch()).toBe(2);
  expect(held.entry("orders")).toBeUndefined();
});

test("what was asked of a control plane before it began anew is no longer taken", () => {
  const held = holding();
  held.take(changes(100, [], true), held.begin());
  const before = held.begin();
  held.take(changes(2, [], true), held.begin());
  expect(held.take(changes(101, [entry("orders", 101)]), before)).toBe(false);
  expect(held.epoch()).toBe(2);
});

test("a part of an older epoch is no sign of a new beginning", () => {
  const held = holding();
  held.take(changes(7, [entry("orders", 7)], true), held.begin());
  expect(held.take(changes(6, [entry("orders", 6, 0)]), held.begin())).toBe(false);
  expect(held.entry("orders")?.epoch).toBe(7);
});

test("a snapshot is taken where nothing is known, is asked behind from the start, and gives way to a look", () => {
  const held = holding();
  expect(held.takeSnapshot(changes(50, [entry("orders", 50)], true))).toBe(true);
  expect([held.epoch(), held.askFrom()]).toEqual([50, 0]);
  expect(held.take(changes(3, [entry("catalog", 3)], true), held.begin())).toBe(true);
  expect([held.epoch(), held.askFrom()]).toEqual([3, 3]);
  expect(held.takeSnapshot(changes(60, [], true))).toBe(false);
});

test("a look of a snapshot's own epoch has what the snapshot's parts may lack", () => {
  const held = holding();
  const asked = held.begin();
  held.takeSnapshot(changes(50, [], true));
  expect(held.take(changes(50, [entry("orders", 50)], true), asked)).toBe(true);
  expect(held.entry("orders")).toBeDefined();
});

test("what is asked from the start is whole, whether or not the control plane says so", () => {
  const held = holding();
  held.takeSnapshot(changes(50, [entry("orders", 50)], true));
  expect(held.take(changes(3, [entry("catalog", 3)]), held.begin())).toBe(true);
  expect([...held.entries()].map(({ service }) => service)).toEqual(["catalog"]);
});

test("services at the epoch that is held are taken, unless something was taken since they were asked for", () => {
  const held = holding();
  held.take(changes(5, [entry("orders", 5)], true), held.begin());
  const slow = held.begin();
  expect(held.take(changes(5, [entry("orders", 8)]), held.begin())).toBe(true);
  expect(held.entry("orders")?.epoch).toBe(8);
  expect(held.take(changes(5, [entry("orders", 7)]), slow)).toBe(false);
  expect(held.entry("orders")?.epoch).toBe(8);
});

test("the answer that nothing is new is knowledge too", () => {
  const held = holding();
  expect(held.loaded()).toBe(false);
  held.take(undefined, held.begin());
  expect([held.loaded(), held.epoch()]).toEqual([true, 0]);
});
