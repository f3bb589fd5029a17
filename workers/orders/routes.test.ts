import { beforeEach, expect, test } from "vitest";
import type { Commands } from "#shared/cqrs/commands.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { err, ok } from "#shared/result.ts";
import { ORDERS, ORDERS_PROBLEMS } from "./contract.ts";
import type { OrderCommand } from "./domain.ts";
import type { OrderStore } from "./order-store.ts";
import { addOrderRoutes } from "./routes.ts";

const orderId = "01932f6e-8f3a-7c52-b1de-0a4f6c1d9e77";
let sent: OrderCommand[];
let priced: number;
let paused: ReadonlySet<string>;
let cancellationMinutes: number;
beforeEach(() => {
  sent = [];
  priced = 0;
  paused = new Set();
  cancellationMinutes = 30;
});

const app = createServiceApp({
  ...ORDERS,
  name: ORDERS.service,
  description: "",
  problems: ORDERS_PROBLEMS,
  readiness: [],
});
addOrderRoutes(app, {
  commands: {
    async execute({ command }: { command: object }) {
      sent.push(command as OrderCommand);
      return err({ code: "conflict", detail: "Somebody else came first." });
    },
  } as unknown as Commands,
  quotes: {
    async of(skus) {
      priced++;
      return ok(new Map(skus.map((sku) => [sku, { amount: 1, currency: "EUR" as const }])));
    },
  },
  store: {} as OrderStore,
  projector: () => ({ waitFor: async () => true }),
  clock: () => 1_000,
  newId: () => orderId,
  cancellationMinutes: () => cancellationMinutes,
  acceptsOrders: async (customerId) => !paused.has(customerId),
});

const post = (path: string, body: object) =>
  app.request(`/orders/v1/orders${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const place = (customerId: string) => post("", { customerId, lines: [{ sku: "tea", quantity: 1 }] });

test("while no orders are taken, a new one is refused for the time being, before anybody else is asked", async () => {
  paused = new Set(["ada"]);
  const answer = await place("ada");
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await answer.json()).toMatchObject({ type: "/problems/orders_paused" });
  expect([priced, sent]).toEqual([0, []]);
});

test("customers for whom orders are taken are served meanwhile", async () => {
  paused = new Set(["ada"]);
  await place("grace");
  expect(sent).toMatchObject([{ type: "PlaceOrder", customerId: "grace" }]);
});

test("while no orders are taken, those that were placed can be cancelled, in the time that is allowed at the moment", async () => {
  paused = new Set(["ada"]);
  for (const minutes of [30, 5]) {
    cancellationMinutes = minutes;
    await post(`/${orderId}/cancellation`, { reason: "changed my mind" });
  }
  expect(sent).toMatchObject([
    { type: "CancelOrder", windowMinutes: 30, at: 1_000 },
    { type: "CancelOrder", windowMinutes: 5 },
  ]);
});
