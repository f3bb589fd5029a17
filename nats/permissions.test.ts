/** Holds on real servers that each user may do what it needs, and nothing to what is another's. */
import { AckPolicy, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Append } from "#shared/events/event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { applyStreams } from "./apply-streams.ts";
import { natsConnector } from "./connection.ts";
import { jetStreamEventLog } from "./jetstream-event-log.ts";
import { openConnection } from "./open-connection.ts";
import { allPermissions } from "./permissions.ts";
import { planServer } from "./plan-server.ts";
import { accountSettings, passwordVariable, serverConfigText } from "./server-config.ts";
import { natsSnapshotLog } from "./snapshot-log.ts";
import { LOG_SERVICES, type LogService, type MessageUse } from "./streams.ts";
import { DEPLOY_USER, inboxPrefix, logStream } from "./subjects.ts";

const MESSAGES: Readonly<Record<string, MessageUse>> = {
  inventory: { publishes: ["inventory.low.v1"], answers: ["inventory.left.v1"] },
  orders: { hears: ["inventory.low.v1"], asks: ["inventory.left.v1"] },
};
const withMessages = (service: LogService): LogService => {
  const messages = MESSAGES[service.service];
  return messages ? { ...service, messages } : service;
};

const commitOf = (commandId: string): Append => ({
  aggregate: { type: "order", id: "a" },
  expectedPosition: 0,
  expectedVersion: 0,
  commandId,
  at: 1_000,
  events: [{ type: "Happened", data: {} }],
  trace: {},
});

describe.each(await natsPrograms())("on NATS $version", (program) => {
  const users = allPermissions(LOG_SERVICES.map(withMessages));
  let nats: TestNats;
  const closing: { close(): Promise<void> }[] = [];

  const passwordOf = (user: string) => `s3cret-${user}`;
  const urlOf = (user: string) => nats.url.replace("://", `://${user}:${passwordOf(user)}@`);

  const connectorOf = (user: string) => {
    const connector = natsConnector({ url: urlOf(user), name: user, user, clock: systemClock });
    closing.push(connector);
    return connector;
  };
  const logOf = (user: string, service: string) =>
    jetStreamEventLog({ service, connector: connectorOf(user), clock: systemClock });

  const connectionOf = async (user: string): Promise<NatsConnection> => {
    const connection = await openConnection({ servers: urlOf(user), inboxPrefix: inboxPrefix(user) });
    closing.push(connection);
    return connection;
  };
  /** What the server says to a request: that it is not allowed, or an answer. */
  const asked = async (connection: NatsConnection, subject: string, body?: object): Promise<string> =>
    connection.request(subject, body ? JSON.stringify(body) : "", { timeout: 2_000 }).then(
      (message) => message.string(),
      (error: unknown) => String(error),
    );

  beforeAll(async () => {
    for (const user of [...users.map((one) => one.user), "system"])
      vi.stubEnv(passwordVariable(user), passwordOf(user));
    nats = await startNats(program, { settings: serverConfigText(accountSettings(users)) });
    await applyStreams({ natsUrl: urlOf(DEPLOY_USER) });
  });
  afterAll(async () => {
    for (const one of closing) await one.close();
    await nats?.dispose();
    vi.unstubAllEnvs();
  });

  test("a service appends to its log, reads a long history of it and follows it", async () => {
    const log = logOf("orders", "orders");
    let position = 0;
    for (let version = 0; version < 40; version++) {
      const appended = await log.append({
        ...commitOf(`c${version}`),
        expectedPosition: position,
        expectedVersion: version,
      });
      position = appended.ok ? appended.value.position : Number.NaN;
    }
    expect(await log.lastPosition()).toBe(40);
    expect(await log.read({ type: "order", id: "a" })).toHaveLength(40);
    expect((await log.append(commitOf("other"))).ok).toBe(false);
    const stop = new AbortController();
    for await (const batch of log.tail({ after: 39, batchMax: 10, signal: stop.signal })) {
      expect(batch.map(({ position: at }) => at)).toEqual([40]);
      break;
    }
  });

  test("a service follows and reads the logs that its processes do, and no others", async () => {
    expect(await logOf("payments", "orders").lastPosition()).toBe(40);
    for await (const batch of logOf("payments", "orders").tail({
      after: 0,
      batchMax: 1,
      signal: new AbortController().signal,
    })) {
      expect(batch).toHaveLength(1);
      break;
    }
    const payments = await connectionOf("payments");
    const said = await asked(payments, `$JS.API.STREAM.MSG.GET.${logStream("inventory")}`, { seq: 1 });
    expect(said).toContain("Permissions Violation");
  });

  test("a service writes and reads its snapshots, and no other does", async () => {
    const snapshots = (user: string) =>
      natsSnapshotLog({ service: "inventory", connector: connectorOf(user) });
    const tea = { type: "stock", id: "tea" };
    await snapshots("inventory").write(tea, "7");
    expect(await snapshots("inventory").read(tea)).toBe("7");
    await expect(snapshots("orders").write(tea, "8")).rejects.toThrow();
    await expect(snapshots("orders").read(tea)).rejects.toThrow();
    expect(await snapshots("inventory").read(tea)).toBe("7");
  });

  test("a service may ask for commits directly, by position and the last of an aggregate", async () => {
    const orders = await connectionOf("orders");
    expect(await asked(orders, `$JS.API.DIRECT.GET.${logStream("orders")}`, { seq: 1 })).toContain(
      "Happened",
    );
    const last = await asked(orders, `$JS.API.DIRECT.GET.${logStream("orders")}.log.orders.order.a`);
    expect(last).toContain("Happened");
  });

  test("a service asks and hears what it declares, and who answers may answer", async () => {
    const [inventory, orders] = [await connectionOf("inventory"), await connectionOf("orders")];
    inventory.subscribe("msg.inventory.left.v1", {
      queue: "inventory",
      callback: (_, message) => void message.respond("7"),
    });
    const heard: string[] = [];
    orders.subscribe("msg.inventory.low.v1", { callback: (_, message) => void heard.push(message.string()) });
    await Promise.all([inventory.flush(), orders.flush()]);
    expect(await asked(orders, "msg.inventory.left.v1")).toBe("7");
    inventory.publish("msg.inventory.low.v1", "tea");
    await expect.poll(() => heard).toEqual(["tea"]);
  });

  test("what no permission holds: an answer goes wherever it was asked to go, into another's log too", async () => {
    const orders = await connectionOf("orders");
    const before = await logOf("payments", "payments").lastPosition();
    orders.publish(`$JS.API.STREAM.INFO.${logStream("orders")}`, "", { reply: "log.payments.payment.x" });
    await expect.poll(() => logOf("payments", "payments").lastPosition()).toBe(before + 1);
  });

  test.each([
    ["write another's snapshots", "snap.inventory.stock.tea"],
    ["publish to another's log", "log.inventory.stock.tea"],
    ["delete its stream", "$JS.API.STREAM.DELETE.log-orders"],
    ["purge it", "$JS.API.STREAM.PURGE.log-orders"],
    ["delete a message of it", "$JS.API.STREAM.MSG.DELETE.log-orders"],
    ["change it", "$JS.API.STREAM.UPDATE.log-orders"],
    ["restore another in its place", "$JS.API.STREAM.RESTORE.log-orders"],
    ["make a stream", "$JS.API.STREAM.CREATE.other"],
    ["make a durable consumer the old way", "$JS.API.CONSUMER.DURABLE.CREATE.log-orders.mine"],
    ["move the stream's leader", "$JS.API.STREAM.LEADER.STEPDOWN.log-orders"],
    ["tell of an epoch", "skerry.control.epoch"],
    ["publish another's topic", "msg.inventory.low.v1"],
    ["ask what it does not declare", "msg.payments.paid.v1"],
    ["answer into another's inbox", `${inboxPrefix("inventory")}.x`],
  ])("a service cannot %s", async (_, subject) => {
    expect(await asked(await connectionOf("orders"), subject)).toContain("Permissions Violation");
  });

  test.each([`${inboxPrefix("inventory")}.>`, "_INBOX.>", "log.>", "msg.>", "msg.inventory.left.v1", ">"])(
    "a service cannot listen to %s",
    async (subject) => {
      const orders = await connectionOf("orders");
      const heard = (async () => {
        for await (const _ of orders.subscribe(subject)) return "a message";
        return "the end";
      })();
      await expect(heard).rejects.toThrow("Permissions Violation");
    },
  );

  test("who deploys may change no history: no deletion, no purge, no commit", async () => {
    const deploy = await connectionOf(DEPLOY_USER);
    for (const subject of [
      "$JS.API.STREAM.DELETE.log-orders",
      "$JS.API.STREAM.PURGE.log-orders",
      "log.orders.order.a",
    ])
      expect(await asked(deploy, subject)).toContain("Permissions Violation");
    expect((await logOf("orders", "orders").lastPosition()) > 0).toBe(true);
  });

  test("who deploys sees the durable consumers that a service has made", async () => {
    const orders = await jetstreamManager(await connectionOf("orders"));
    await orders.consumers.add(logStream("orders"), { durable_name: "mine", ack_policy: AckPolicy.Explicit });
    expect((await planServer(await connectionOf(DEPLOY_USER))).strays).toEqual([
      { kind: "durable_consumer", stream: "log-orders", consumer: "mine" },
    ]);
  });
});
