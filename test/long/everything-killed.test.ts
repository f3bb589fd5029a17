/** Everything dies under load, as when the machine loses its power, and `npm start` brings all of it back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type Shop, shopOf } from "../e2e/shop.ts";
import { type ChildFolder, type ChildSystem, childFolder } from "../faults/child-system.ts";
import { expectConsistent, expectKeysRemembered } from "../faults/expect-consistent.ts";
import { startOrderLoad } from "../faults/order-load.ts";

let folder: ChildFolder;
let system: ChildSystem;
let shop: Shop;

const start = async () => {
  system = await folder.start();
  shop = shopOf(system);
};

beforeAll(async () => {
  folder = await childFolder();
  await start();
  for (const sku of ["tea", "cup", "pot"]) await shop.offer(sku, { amount: 10, pieces: 10_000 });
});
afterAll(() => folder?.dispose());

const BOUND_MS = 20_000;

test("what was acknowledged before the end is there after it, once, and clients that repeat are served", {
  timeout: 90_000,
}, async () => {
  const load = startOrderLoad(() => shop, ["tea", "cup", "pot"]);
  const { orders } = load.report;
  const placed = load.place(80);
  await eventually(() => expect(orders.size).toBeGreaterThan(40), BOUND_MS);
  await system.kill();
  await start();
  await placed;
  await load.place(20);
  const report = await load.stop();

  expect(report.broken).toBeGreaterThan(0);
  for (const { status } of report.refused) expect([502, 503]).toContain(status);
  expect(report.cancelled.size).toBeGreaterThan(0);
  await expectConsistent(system.natsUrl, shop, report);
  await expectKeysRemembered(shop, report, load.bodyOf);
  await expectConsistent(system.natsUrl, shop, report);
});
