/** Holds on a real server that a projection loses nothing when the connection under it is renewed. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { openConnection } from "#nats/open-connection.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { type EventLog, LogUnavailable } from "#shared/events/event-log.ts";
import { LIMITS } from "#shared/limits.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { virtualTime } from "../fake/virtual-time.ts";
import { startNats, type TestNats } from "../setup/nats.ts";

let nats: TestNats;
beforeAll(async () => {
  nats = await startNats();
  const connection = await openConnection({ servers: nats.url });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig("orders"));
  await connection.close();
});
afterAll(() => nats?.dispose());

const append = async (log: EventLog, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const appended = await log.append({
      aggregate: { type: "order", id: crypto.randomUUID() },
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: crypto.randomUUID(),
      at: 0,
      events: [{ type: "Happened", data: {} }],
      trace: {},
    });
    expect(appended).toMatchObject({ ok: true });
  }
};

test("a tail goes on over a renewal, ends with the old connection, and begins again where it was", async () => {
  const time = virtualTime();
  const opened: NatsConnection[] = [];
  const connector = natsConnector({
    url: nats.url,
    name: "renewed",
    clock: time.clock,
    sleep: time.sleep,
    open: async (options) => {
      const connection = await openConnection(options);
      opened.push(connection);
      return connection;
    },
  });
  const log = jetStreamEventLog({ service: "orders", connector, clock: systemClock });
  const stop = new AbortController();
  const seen: number[] = [];
  let lost = 0;
  const follow = async () => {
    while (!stop.signal.aborted) {
      try {
        for await (const batch of log.tail({ after: seen.at(-1) ?? 0, batchMax: 10, signal: stop.signal }))
          seen.push(...batch.map(({ position }) => position));
      } catch (error) {
        expect(error).toBeInstanceOf(LogUnavailable);
        lost++;
      }
    }
  };
  const following = follow();
  const seenAll = (count: number) => expect.poll(() => seen.length, { timeout: 5_000 }).toBe(count);

  await append(log, 5);
  await seenAll(5);
  await time.pass(LIMITS.natsRenewMs);
  await append(log, 5);
  await expect.poll(() => opened.length).toBe(2);
  await append(log, 5);
  await seenAll(15);
  expect([lost, opened[0]?.isClosed()]).toEqual([0, false]);

  await expect.poll(() => connector.standing()).toBe(opened[1]);
  const retired = opened[0]?.closed();
  await time.pass(LIMITS.natsRetireMs);
  await retired;
  await append(log, 5);
  await seenAll(20);
  expect(lost).toBe(1);
  expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(opened).toHaveLength(2);

  stop.abort();
  await connector.close();
  await following;
});
