/** The NATS server dies under load and comes back: nothing acknowledged is lost, nothing is done twice, nobody has to help. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type Shop, shopOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { expectConsistent, expectKeysRemembered } from "./expect-consistent.ts";
import { startOrderLoad } from "./order-load.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  for (const sku of ["tea", "cup", "pot"]) await shop.offer(sku, { amount: 10, pieces: 10_000 });
});
afterAll(() => system?.close());

const BOUND_MS = 20_000;

test("while NATS is away commands are refused in time and queries go on; when it is back all resumes by itself", {
  timeout: 60_000,
}, async () => {
  const load = startOrderLoad(() => shop, ["tea", "cup", "pot"]);
  const { orders, refused, queries } = load.report;
  const placed = load.place(80);
  await eventually(() => expect(orders.size).toBeGreaterThan(40), BOUND_MS);

  await system.nats.kill();
  const asked = queries.length;
  await eventually(() => {
    expect(refused.length).toBeGreaterThan(40);
    expect(queries.length - asked).toBeGreaterThan(20);
  }, BOUND_MS);

  await system.nats.start();
  await placed;
  await load.place(20);
  const report = await load.stop();

  expect(report.broken).toBe(0);
  expect(new Set(queries.map(({ status }) => status))).toEqual(new Set([200]));
  for (const { status, retryAfter, tookMs } of refused) {
    expect([status, retryAfter]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(tookMs).toBeLessThan(2_000);
  }
  expect(report.cancelled.size).toBeGreaterThan(0);
  await expectConsistent(system.nats.url, shop, report);
  await expectKeysRemembered(shop, report, load.bodyOf);
  await expectConsistent(system.nats.url, shop, report);
});
