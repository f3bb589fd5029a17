/** The NATS server takes connections but answers nothing, as on a stalled disk: worse than dead, since nothing tells. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, expectStatus, type Shop, shopOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { expectConsistent } from "./expect-consistent.ts";
import { startOrderLoad } from "./order-load.ts";

let system: TestSystem;
let shop: Shop;
beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 10, pieces: 1_000 });
});
afterAll(async () => {
  signalNats("SIGCONT");
  await system?.close();
});

const signalNats = (signal: "SIGSTOP" | "SIGCONT"): void => {
  if (system?.nats.pid !== undefined) process.kill(system.nats.pid, signal);
};

test("commands and histories are refused in time, queries go on, and all resumes when it answers again", {
  timeout: 60_000,
}, async () => {
  const load = startOrderLoad(() => shop, ["tea"]);
  await load.place(20);
  const [orderId = ""] = load.report.orders.values();
  const [refusedBefore, queriesBefore] = [load.report.refused.length, load.report.queries.length];

  signalNats("SIGSTOP");
  const placed = load.place(20);
  const refusals = await Promise.all([
    shop.request(`/orders/v1/orders/${orderId}/events`),
    shop.cancel(orderId),
    shop.request("/inventory/v1/stock/never-seen/receipts", { method: "POST", body: { quantity: 1 } }),
    shop.request("/inventory/v1/stock/tea/receipts", { method: "POST", body: { quantity: 1 } }),
  ]);
  for (const answer of refusals) {
    expect(expectStatus(answer, 503).headers.get("retry-after")).toMatch(/^\d+$/);
    expect(answer.tookMs).toBeLessThan(2_000);
  }
  await eventually(() => {
    expect(load.report.refused.length - refusedBefore).toBeGreaterThan(16);
    expect(load.report.queries.length - queriesBefore).toBeGreaterThan(20);
  });

  signalNats("SIGCONT");
  await placed;
  const report = await load.stop();
  for (const { status, tookMs } of report.refused) {
    expect(status).toBe(503);
    expect(tookMs).toBeLessThan(2_000);
  }
  expect(new Set(report.queries.map(({ status }) => status))).toEqual(new Set([200]));
  await expectConsistent(system.nats.url, shop, report);
});
