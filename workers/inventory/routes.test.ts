import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commandActor } from "#shared/cqrs/command-actor.ts";
import { commands } from "#shared/cqrs/commands.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { createServiceApp, type ServiceApp } from "#shared/http/service-app.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import { INVENTORY, INVENTORY_PROBLEMS } from "./contract.ts";
import { reservation, stock } from "./domain.ts";
import { stockLevelsProjection } from "./projections/stock-levels.ts";
import { addStockRoutes } from "./routes.ts";
import { d1StockStore } from "./stock-store.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await startD1Database("inventory");
});
afterAll(() => test.close());

/** Inventory in this process: its projection catches up when it is waited for, unless it is told to lag. */
const startInventory = (folder: string) => {
  const log = memoryEventLog();
  const actors = inProcessActors({
    folder,
    create: (context) =>
      commandActor({
        context,
        log,
        aggregates: { stock, reservation },
        clock: () => 0,
        random: () => 0,
        sleep: async () => undefined,
      }),
    clock: () => 0,
    timers: { set: () => undefined, clear: () => undefined },
  });
  const store = d1ReadStore(test.database);
  const projection = stockLevelsProjection.name;
  const state = { lagging: false };
  const catchUp = async (): Promise<void> => {
    const from = await store.checkpoint(projection);
    if (from >= (await log.lastPosition())) return;
    for await (const commits of log.tail({
      after: from,
      batchMax: 1_000,
      signal: new AbortController().signal,
    })) {
      const to = commits.at(-1)?.position ?? from;
      await store.apply({ projection, from, to, changes: stockLevelsProjection.changes(commits) });
      return;
    }
  };
  let caughtUp: Promise<void> = Promise.resolve();
  const waitFor = async ({ position }: { position: number }) => {
    if (state.lagging || position > (await log.lastPosition())) return false;
    caughtUp = caughtUp.then(catchUp);
    await caughtUp;
    return true;
  };
  const app = createServiceApp({
    name: INVENTORY.service,
    major: INVENTORY.major,
    description: "",
    problems: INVENTORY_PROBLEMS,
    readiness: [],
  });
  let made = 0;
  const send = commands({ actors, shards: 2 });
  addStockRoutes(app, {
    commands: send,
    store: d1StockStore(test.database),
    projector: () => ({ waitFor }),
    newId: () => `command-${++made}`,
    receiptWaitMs: () => 1_234,
  });
  return { app, commands: send, state, log, close: actors.close };
};

let folder: string;
let inventory: ReturnType<typeof startInventory>;
let app: ServiceApp;
beforeEach(async () => {
  await test.clear();
  folder = mkdtempSync(join(tmpdir(), "inventory-"));
  inventory = startInventory(folder);
  app = inventory.app;
});
afterEach(() => {
  inventory.close();
  rmSync(folder, { recursive: true });
});

const receive = (sku: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/inventory/v1/stock/${sku}/receipts`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
const get = (path: string, headers: Record<string, string> = {}) =>
  app.request(`/inventory/v1/stock${path}`, { headers });

describe("a receipt", () => {
  it("answers with the new stock, its address and its position", async () => {
    await receive("tea", { quantity: 2 });
    const response = await receive("tea", { quantity: 3 });
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe("/inventory/v1/stock/tea");
    expect(response.headers.get("skerry-position")).toBe("inventory=2");
    expect(await response.json()).toEqual({ sku: "tea", received: 3, onHand: 5, reserved: 0, available: 5 });
  });

  it("leaves the figures out rather than tell those from before it", async () => {
    await receive("tea", { quantity: 2 });
    inventory.state.lagging = true;
    const response = await receive("tea", { quantity: 3 });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ sku: "tea", received: 3 });
  });

  it("counts once under the same Idempotency-Key, for each sku on its own", async () => {
    const headers = { "idempotency-key": "delivery-7" };
    const positions = await Promise.all(
      Array.from({ length: 10 }, async () =>
        (await receive("tea", { quantity: 5 }, headers)).headers.get("skerry-position"),
      ),
    );
    expect(new Set(positions).size).toBe(1);
    await receive("cup", { quantity: 1 }, headers);
    expect(await (await get("/tea")).json()).toMatchObject({ onHand: 5 });
    expect(await (await get("/cup")).json()).toMatchObject({ onHand: 1 });
  });

  it("refuses an Idempotency-Key that comes back with another quantity", async () => {
    const headers = { "idempotency-key": "delivery-7" };
    await receive("tea", { quantity: 5 }, headers);
    const response = await receive("tea", { quantity: 6 }, headers);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ type: "/problems/idempotency_key_reused" });
  });

  it("refuses what would be more than can be counted", async () => {
    const quantity = Number.MAX_SAFE_INTEGER - 1;
    const command = { type: "ReceiveStock", sku: "tea", quantity };
    await inventory.commands.execute({ type: "stock", id: "tea", command, commandId: "huge" });
    const response = await receive("tea", { quantity: 2 });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ type: "/problems/stock_full" });
  });

  it.each([
    {},
    { quantity: 0 },
    { quantity: -1 },
    { quantity: 1.5 },
    { quantity: "1" },
    { quantity: 1_000_001 },
    { quantity: 1, price: 2 },
    [],
    null,
  ])("refuses %j and writes nothing", async (body) => {
    expect((await receive("tea", body)).status).toBe(422);
    expect(await inventory.log.lastPosition()).toBe(0);
  });

  it.each(["a.b", "a%20b", "*", "%3E", "a%2Fb", "x".repeat(10_000), "%00"])(
    "refuses a sku that is no sku (%#) and writes nothing",
    async (sku) => {
      expect((await receive(sku, { quantity: 1 })).status).toBe(400);
      expect(await inventory.log.lastPosition()).toBe(0);
    },
  );
});

describe("the stock of a sku", () => {
  it("is unknown until something of it was received", async () => {
    const response = await get("/tea");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: "/problems/unknown_sku" });
  });

  it("tells reserved pieces from available ones, as new as asked for", async () => {
    await receive("tea", { quantity: 5 });
    const command = { type: "AllocateStock", sku: "tea", orderId: "o1", quantity: 2 };
    await inventory.commands.execute({ type: "stock", id: "tea", command, commandId: "allocate" });
    const response = await get("/tea", { "skerry-min-position": "orders=99,inventory=2" });
    expect(await response.json()).toEqual({ sku: "tea", onHand: 5, reserved: 2, available: 3 });
  });

  it("is not told when it is not as new as asked for", async () => {
    await receive("tea", { quantity: 5 });
    const headers = { "skerry-min-position": "inventory=99" };
    expect((await get("/tea", headers)).status).toBe(503);
    expect((await get("", headers)).status).toBe(503);
  });
});

describe("the list of stock", () => {
  it("comes in pages by sku, each sku once", async () => {
    for (const sku of ["cup", "tea", "pot"]) await receive(sku, { quantity: 1 });
    const first = await get("?limit=2");
    expect(await first.json()).toMatchObject({ items: [{ sku: "cup" }, { sku: "pot" }] });
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await app.request(next);
    expect(await second.json()).toMatchObject({ items: [{ sku: "tea" }] });
    expect(second.headers.get("link")).toBeNull();
  });

  it("refuses a made-up cursor", async () => expect((await get("?cursor=tea")).status).toBe(400));
});

it("describes itself", async () => {
  const document = (await (await app.request("/inventory/v1/openapi.json")).json()) as { paths: object };
  expect(Object.keys(document.paths).sort()).toEqual([
    "/inventory/v1/stock",
    "/inventory/v1/stock/{sku}",
    "/inventory/v1/stock/{sku}/receipts",
  ]);
});
