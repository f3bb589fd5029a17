/** The workers die in the middle of sagas, with NATS alive: what was under way is taken up again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, type Shop, shopOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { expectConsistent } from "./expect-consistent.ts";
import { startOrderLoad } from "./order-load.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  for (const sku of ["tea", "cup"]) await shop.offer(sku, { amount: 10, pieces: 10_000 });
});
afterAll(() => system?.close());

test("orders whose payment was being asked for end once the workers are back, and are paid once", async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 1_500 });
  const load = startOrderLoad(() => shop, ["tea", "cup"]);
  await eventually(async () => {
    expect(load.report.orders.size).toBeGreaterThan(40);
    expect((await shop.provider.everyAuthorisation()).length).toBeGreaterThan(5);
  });
  system = await system.restartWorkers();
  shop = shopOf(system);
  await shop.provider.behave({ mode: "approve" });
  const acknowledged = load.report.orders.size;
  await eventually(() => expect(load.report.orders.size).toBeGreaterThan(acknowledged + 10));
  await expectConsistent(system.nats.url, shop, await load.stop());
});
