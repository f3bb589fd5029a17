import {
  type JetStreamManager,
  jetstreamManager,
  type StreamConfig,
  type StreamUpdateConfig,
} from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { applyStreams } from "./apply-streams.ts";
import { declaredStreams, logStreamConfig } from "./streams.ts";

describe.each(await natsPrograms())("streams on NATS $version", (program) => {
  let nats: TestNats;
  let connection: NatsConnection;
  let manager: JetStreamManager;

  beforeAll(async () => {
    nats = await startNats(program);
    connection = await connect({ servers: nats.url });
    manager = await jetstreamManager(connection);
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.dispose();
  });

  const apply = () => applyStreams({ natsUrl: nats.url });
  const all = (did: string) => declaredStreams().map(({ name }) => ({ stream: name, did }));
  const expectUnavailable = (url: string) => expect(applyStreams({ natsUrl: url })).rejects.toThrow();

  it("are created once and verified afterwards", async () => {
    expect(await apply()).toEqual(all("created"));
    expect(await apply()).toEqual(all("verified"));
  });

  it("of an earlier version are made to answer any reader, which changes nothing that they keep", async () => {
    await apply();
    await manager.streams.update("log-orders", { allow_direct: false });
    expect(await apply()).toEqual(
      all("verified").map((one) => (one.stream === "log-orders" ? { ...one, did: "changed" } : one)),
    );
    expect(await apply()).toEqual(all("verified"));
  });

  it("refuse to delete a message or to purge", async () => {
    await connection.request("log.orders.order.a", "[]");
    await expect(manager.streams.deleteMessage("log-orders", 1)).rejects.toThrow("delete not permitted");
    await expect(manager.streams.purge("log-orders")).rejects.toThrow("purge not permitted");
    expect((await manager.streams.info("log-orders")).state).toMatchObject({ messages: 1, first_seq: 1 });
  });

  it.each<[string, Partial<StreamUpdateConfig>]>([
    ["max_age", { max_age: 3_600_000_000_000 }],
    ["max_msgs", { max_msgs: 1_000 }],
    ["max_bytes", { max_bytes: 1_000_000 }],
    ["max_msgs_per_subject", { max_msgs_per_subject: 1 }],
    ["discard", { discard: "old" as never }],
  ])("that could forget by their %s are refused by name, and left as they are", async (setting, change) => {
    await apply();
    const { config } = await manager.streams.info("log-payments");
    await manager.streams.update("log-payments", change);
    await expect(apply()).rejects.toThrow(`Cannot use the stream "log-payments": ${setting} is`);
    expect((await manager.streams.info("log-payments")).config).toMatchObject(change);
    await manager.streams.update("log-payments", config);
    expect(await apply()).toEqual(all("verified"));
  });

  const knownSince = ([, since]: readonly [string, string, ...unknown[]]) =>
    program.version.localeCompare(since, undefined, { numeric: true }) >= 0;
  const lossy: [string, string, Partial<StreamConfig>][] = [
    ["no_ack", "2.9", { no_ack: true }],
    ["sources", "2.9", { sources: [{ name: "log-orders" }] }],
    ["subject_transform", "2.10", { subject_transform: { src: "log.payments.>", dest: "log.payments.x.>" } }],
    ["allow_msg_ttl", "2.11", { allow_msg_ttl: true }],
    ["persist_mode", "2.12", { persist_mode: "async" }],
  ];

  it.each(lossy.filter(knownSince))(
    "that could lose or mix up commits by their %s (since %s) are refused by name",
    async (setting, _, change) => {
      await apply();
      await manager.streams.delete("log-payments");
      await manager.streams.add({ ...logStreamConfig("payments"), ...change });
      await expect(apply()).rejects.toThrow(`Cannot use the stream "log-payments": ${setting} is`);
      await manager.streams.delete("log-payments");
    },
  );

  it("cannot be applied where no server answers", async () => {
    await expectUnavailable("nats://127.0.0.1:1");
  });
});
