/** Holds on real servers what a snapshot log promises, and that a command's id outlives the server's memory of messages. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandActor } from "#shared/cqrs/command-actor.ts";
import { LIMITS } from "#shared/limits.ts";
import { ok } from "#shared/result.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { type NatsConnector, natsConnector } from "./connection.ts";
import { jetStreamEventLog } from "./jetstream-event-log.ts";
import { natsSnapshotLog } from "./snapshot-log.ts";
import { snapshotStreamConfig } from "./snapshot-stream.ts";
import { logStreamConfig } from "./streams.ts";
import { snapshotStream } from "./subjects.ts";

const SERVICE = "inventory";
const tea = { type: "stock", id: "tea" };

/** Counts pieces; its snapshot is what it counted. */
const counter = {
  type: "stock",
  initialState: () => 0,
  evolve: (count: unknown) => Number(count) + 1,
  decide: () => ok([{ type: "Counted", data: {} }]),
  snapshot: { version: 1, every: 10, inLog: true },
};

describe.each(await natsPrograms())("on NATS $version", (program) => {
  let nats: TestNats;
  let connection: NatsConnection;
  let connector: NatsConnector;

  const open = async () => {
    connection = await connect({ servers: nats.url });
    connector = natsConnector({ url: nats.url, name: "test", clock: systemClock });
  };
  const close = async () => {
    await connector?.close();
    await connection?.close();
  };
  beforeAll(async () => {
    nats = await startNats(program);
    await open();
    const manager = await jetstreamManager(connection);
    await manager.streams.add(logStreamConfig(SERVICE));
    await manager.streams.add(snapshotStreamConfig(SERVICE));
  });
  afterAll(async () => {
    await close();
    await nats?.dispose();
  });

  const snapshotLog = () => natsSnapshotLog({ service: SERVICE, connector });
  const messages = async () =>
    (await (await jetstreamManager(connection)).streams.info(snapshotStream(SERVICE))).state.messages;

  /** An Actor with a storage of its own; what it does after an answer is done when `settled` says so. */
  const startActor = () => {
    const context = testActorContext();
    let left = 0;
    const { methods } = commandActor({
      context: { ...context, worked: () => void left-- },
      log: jetStreamEventLog({ service: SERVICE, connector, clock: systemClock }),
      snapshotLog: snapshotLog(),
      aggregates: { stock: counter },
      clock: systemClock,
      random: Math.random,
      sleep: (ms, signal) => {
        if (ms === 0) left++;
        return sleep(ms, signal);
      },
    });
    return {
      ...methods,
      write: (commandId: string, id = "tea") =>
        methods.execute({ type: "stock", id, commandId, command: {} }),
      settled: () => expect.poll(() => left).toBe(0),
    };
  };

  test("the last snapshot of an aggregate is found, one message for each", async () => {
    expect(await snapshotLog().read({ type: "stock", id: "none" })).toBeUndefined();
    for (const text of ["first", "grün"]) await snapshotLog().write({ type: "stock", id: "cup" }, text);
    expect(await snapshotLog().read({ type: "stock", id: "cup" })).toBe("grün");
    expect(await messages()).toBe(1);
  });

  test("one that is too large for a message is refused, and the former stays", async () => {
    await expect(
      snapshotLog().write({ type: "stock", id: "cup" }, "x".repeat(LIMITS.commitBytes + 1)),
    ).rejects.toThrow('a snapshot of "stock/cup"');
    expect(await snapshotLog().read({ type: "stock", id: "cup" })).toBe("grün");
  });

  test("a command is written once after a restart of everything, also through an Actor that has the log alone", async () => {
    const actor = startActor();
    const first = await actor.write("first");
    for (let n = 0; n < 25; n++) await actor.write(`c${n}`);
    await actor.settled();
    const { state, version } = JSON.parse((await snapshotLog().read(tea)) ?? "{}");
    expect(version).toBeGreaterThanOrEqual(20);
    expect(state).toBe(version);

    // A server that starts anew with another time window has forgotten which messages it has seen.
    const manager = await jetstreamManager(connection);
    await manager.streams.update(`log-${SERVICE}`, { duplicate_window: 100_000_000 });
    await close();
    await nats.stop();
    await nats.start();
    await open();

    expect(first.ok).toBe(true);
    const again = await startActor().write("first");
    expect(again).toEqual(first.ok && ok({ ...first.value, duplicate: true }));
    const history = await startActor().history(tea);
    expect(history.ok && history.value).toHaveLength(26);
    expect(await startActor().state(tea)).toMatchObject(ok({ version: 26, json: "26" }));
  });

  test("without its stream snapshots are lost, and nothing else", async () => {
    const manager = await jetstreamManager(connection);
    await manager.streams.delete(snapshotStream(SERVICE));
    const actor = startActor();
    for (let n = 0; n < 12; n++) expect(await actor.write(`d${n}`)).toMatchObject({ ok: true });
    await actor.settled();
    expect(await startActor().state(tea)).toMatchObject(ok({ version: 38 }));
  });
});
