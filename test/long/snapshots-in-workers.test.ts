/** Snapshots in the Workers runtime: made after the answers, on the NATS server too, and good after a restart. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commitSubject, snapshotStream, snapshotSubject } from "#nats/subjects.ts";
import { type Shop, shopOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";

/** More than the stock has from one snapshot to the next. */
const RECEIPTS = 230;
const TOGETHER = 23;
const tea = { type: "stock", id: "tea" };

let system: TestSystem;
let shop: Shop;

beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
});
afterAll(() => system?.close());

/** What stands on the NATS server under a subject last, as parsed. */
const lastOf = async (stream: string, subject: string): Promise<unknown> => {
  const connection = await connect({ servers: system.nats.url });
  try {
    const manager = await jetstreamManager(connection);
    const message = await manager.streams.getMessage(stream, { last_by_subj: subject });
    return message?.json();
  } finally {
    await connection.close();
  }
};

const receive = () =>
  shop.request("/inventory/v1/stock/tea/receipts", { method: "POST", body: { quantity: 1 } });

test("a stock that was received piece by piece is loaded from its snapshot after a restart", async () => {
  for (let n = 0; n < RECEIPTS; n += TOGETHER) {
    const answers = await Promise.all(Array.from({ length: TOGETHER }, receive));
    expect(answers.map(({ status }) => status)).toEqual(Array(TOGETHER).fill(201));
  }
  const snapshot = () => lastOf(snapshotStream("inventory"), snapshotSubject("inventory", tea));
  await expect.poll(snapshot, { timeout: 5_000 }).toMatchObject({ schema: 1, state: { allocations: [] } });
  const { version, state } = (await snapshot()) as { version: number; state: { onHand: number } };
  expect(version).toBeGreaterThanOrEqual(200);
  expect(state.onHand).toBe(version);

  system = await system.restartWorkers();
  shop = shopOf(system);
  expect((await receive()).status).toBe(201);
  expect(await lastOf("log-inventory", commitSubject("inventory", tea))).toMatchObject([
    { aggregateversion: RECEIPTS + 1 },
  ]);
});
