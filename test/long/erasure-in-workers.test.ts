/** Forgetting through a whole system in the Workers runtime: asked for on the command line, seen by a client. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logStream } from "#nats/subjects.ts";
import { eventually, expectStatus, type Shop, shopOf } from "../e2e/shop.ts";
import { runCommand } from "../setup/run-command.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";

const ADDRESS = "12 Analytical Row";

let system: TestSystem;
let shop: Shop;

beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  await shop.offer("tea", { amount: 500, pieces: 10 });
});
afterAll(() => system?.close());

const place = (customerId: string) =>
  shop.request("/orders/v1/orders", {
    method: "POST",
    body: { customerId, lines: [{ sku: "tea", quantity: 1 }], deliveryAddress: ADDRESS },
  });

/** Every byte of the orders' log, as text. */
const logged = async (): Promise<string> => {
  const connection = await connect({ servers: system.nats.url });
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(logStream("orders"));
  let text = "";
  for (let seq = 1; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(logStream("orders"), { seq });
    text += `${message?.string()}\n`;
  }
  await connection.close();
  return text;
};

const forget = (subject: string) =>
  runCommand(["forget", subject, "--all", "--yes", "--json"], {
    env: { SKERRY_URL: system.url, SKERRY_TOKEN: system.controlToken },
    cwd: ".",
  });

test("an address is shown until its customer is forgotten, also after a restart, and never stood in the log", async () => {
  const orders = [];
  for (const customer of ["ada", "bob"]) {
    const placed = expectStatus(await place(customer), 202);
    expect(placed.body).toMatchObject({ deliveryAddress: ADDRESS });
    orders.push(`${placed.body?.orderId}`);
  }
  const [adas = "", bobs = ""] = orders;
  const shown = async (id: string, position?: string) =>
    expectStatus(await shop.order(id, position), 200).body?.deliveryAddress;
  await eventually(async () => expect([await shown(adas), await shown(bobs)]).toEqual([ADDRESS, ADDRESS]));

  const forgotten = await forget("ada");
  expect(forgotten).toMatchObject({ code: 0, err: "" });
  const [{ service, position }] = JSON.parse(forgotten.out).items;
  expect(service).toBe("orders");
  expect([await shown(adas, `orders=${position}`), await shown(bobs)]).toEqual([undefined, ADDRESS]);
  const history = async () => JSON.stringify((await shop.request(`/orders/v1/orders/${adas}/events`)).body);
  await eventually(async () => expect(await history()).not.toContain(ADDRESS));

  system = await system.restartWorkers();
  shop = shopOf(system);
  expect(await history()).toContain('"deliveryAddress":null');
  expect(expectStatus(await shop.request(`/orders/v1/orders/${bobs}/events`), 200).text).toContain(ADDRESS);
  expect(expectStatus(await place("ada"), 409).body).toMatchObject({ type: "/problems/subject_forgotten" });
  const log = await logged();
  expect(log).toContain("orders.SubjectForgotten");
  expect(log).not.toContain(ADDRESS);
});
