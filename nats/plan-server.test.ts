/** Holds that a plan says what stands on a server, and that applying it makes what it said and no more. */
import { AckPolicy, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { applyPlan, planServer } from "./plan-server.ts";

describe.each(await natsPrograms())("a plan for NATS $version", (program) => {
  let nats: TestNats;
  let connection: NatsConnection;
  let manager: JetStreamManager;

  beforeEach(async () => {
    nats = await startNats(program);
    connection = await connect({ servers: nats.url });
    manager = await jetstreamManager(connection);
  });
  afterEach(async () => {
    await connection?.close();
    await nats?.dispose();
  });

  const does = async () => (await planServer(connection)).streams.map((stream) => stream.does);
  const apply = async () => applyPlan(connection, await planServer(connection));

  test("creates every log on an empty server, and finds nothing to do afterwards", async () => {
    expect(await planServer(connection)).toMatchObject({ version: program.version, strays: [] });
    expect(await does()).toEqual(["create", "create", "create", "create"]);
    await apply();
    expect(await does()).toEqual(["nothing", "nothing", "nothing", "nothing"]);
  });

  test("lifts a limit and keeps what is there", async () => {
    await apply();
    await connection.request("log.orders.order.a", "[]");
    await manager.streams.update("log-orders", { max_age: 3_600_000_000_000, description: "ours" });
    expect((await planServer(connection)).streams[0]).toEqual({
      stream: "log-orders",
      does: "change",
      changes: [{ setting: "max_age", from: 3_600_000_000_000, to: 0 }],
    });
    await apply();
    const { config, state } = await manager.streams.info("log-orders");
    expect([config.max_age, config.description, state.messages]).toEqual([0, "ours", 1]);
  });

  test("makes what is one-way only when that is allowed, and makes nothing when anything is refused", async () => {
    await manager.streams.add({ name: "log-orders", subjects: ["log.orders.>"], discard: "new" as never });
    expect(await does()).toEqual(["refuse", "create", "create", "create"]);
    await expect(apply()).rejects.toThrow('Cannot change "log-orders"');
    expect(await does()).toEqual(["refuse", "create", "create", "create"]);
    await applyPlan(connection, await planServer(connection, { oneWay: true }));
    expect(await does()).toEqual(["nothing", "nothing", "nothing", "nothing"]);
  });

  test("refuses replicas of a server that is alone", async () => {
    const { streams } = await planServer(connection, { replicas: 3 });
    expect(streams.map((stream) => stream.does)).toEqual(["refuse", "refuse", "refuse", "refuse"]);
  });

  test("names durable consumers and logs that nobody declares, and leaves them", async () => {
    await apply();
    await manager.consumers.add("log-orders", { durable_name: "theirs", ack_policy: AckPolicy.Explicit });
    await manager.consumers.add("log-orders", { ack_policy: AckPolicy.None });
    await manager.streams.add({ name: "log-old", subjects: ["log.old.>"] });
    const strays = [
      { kind: "durable_consumer", stream: "log-orders", consumer: "theirs" },
      { kind: "undeclared_stream", stream: "log-old" },
    ];
    expect((await planServer(connection)).strays).toEqual(strays);
    await apply();
    expect((await planServer(connection)).strays).toEqual(strays);
  });
});
