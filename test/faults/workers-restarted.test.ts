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

test("orders whose payment was being asked for end once the workers are back, and are paid once", {
  timeout: 60_000,
}, async () => {
  await shop.provider.behave({ mode: "slow", delayMs: 1_500 });
  const load = startOrderLoad(() => shop, ["tea", "cup"]);
  await load.place(60);
  await eventually(async () => expect((await shop.provider.everyAuthorisation()).length).toBeGreaterThan(5));
  system = await system.restartWorkers();
  shop = shopOf(system);
  await shop.provider.behave({ mode: "approve" });
  await load.place(10);
  await expectConsistent(system.nats.url, shop, await load.stop());
});
