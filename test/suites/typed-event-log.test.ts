/** Versions of events in a real log: what an older service wrote, what a newer one reads, and the other way round. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type NatsConnector, natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import { type Append, type EventLog, LogUnavailable } from "#shared/events/event-log.ts";
import { event } from "#shared/events/event-types.ts";
import { typedEventLog } from "#shared/events/typed-event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "../setup/nats.ts";

const V1 = { Noted: event({ text: z.string() }) };
const V2 = {
  Noted: V1.Noted.next(
    (v1) => ({ ...v1, by: z.string() }),
    (v1) => ({ ...v1, by: "nobody" }),
  ),
};

let nats: TestNats | undefined;
let connection: NatsConnection | undefined;
let connector: NatsConnector | undefined;
let log: EventLog;
beforeAll(async () => {
  const newest = (await natsPrograms()).at(-1);
  if (!newest) throw new Error("Cannot test on JetStream: no NATS server was found");
  nats = await startNats(newest);
  connection = await connect({ servers: nats.url });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig("notes"));
  connector = natsConnector({ url: nats.url, name: "typed", clock: systemClock });
  log = jetStreamEventLog({ service: "notes", connector, clock: systemClock });
});
afterAll(async () => {
  await connector?.close();
  await connection?.close();
  await nats?.dispose();
});

const NOTE = { type: "note", id: "a" };
let version = 0;
const append = async (to: EventLog, data: object) => {
  const last = await log.last(NOTE);
  const commit: Append = {
    aggregate: NOTE,
    expectedPosition: last?.position ?? 0,
    expectedVersion: last?.version ?? 0,
    commandId: `c${++version}`,
    at: 0,
    events: [{ type: "Noted", data }],
    trace: {},
  };
  return to.append(commit);
};

const firstOfTail = async (of: EventLog, count: number) => {
  const stop = new AbortController();
  const seen: DomainEvent["data"][] = [];
  for await (const commits of of.tail({ after: 0, batchMax: 100, signal: stop.signal })) {
    seen.push(...commits.flatMap(({ events }) => events.map(({ data }) => data)));
    if (seen.length >= count) break;
  }
  return seen;
};

it("is read by the newer in one form, and by the older as far as it understands", async () => {
  const older = typedEventLog(log, V1);
  const newer = typedEventLog(log, V2);
  expect(await append(older, { text: "a" })).toMatchObject({ ok: true });
  expect(await firstOfTail(older, 1)).toEqual([{ text: "a" }]);
  expect(await append(newer, { text: "b", by: "ada" })).toMatchObject({ ok: true });
  await expect(append(newer, { text: "c" })).rejects.toThrow('"by"');

  const newestForms = [
    { text: "a", by: "nobody" },
    { text: "b", by: "ada" },
  ];
  expect(await firstOfTail(newer, 2)).toEqual(newestForms);
  const read = await newer.read(NOTE);
  expect(read.flatMap(({ events }) => events.map(({ data }) => data))).toEqual(newestForms);

  await expect(firstOfTail(older, 2)).rejects.toThrow(LogUnavailable);
  await expect(older.read(NOTE)).rejects.toThrow('"Noted" of version "2": expected 1 to 1');
  // What stands is as it was written.
  const raw = await log.read(NOTE);
  expect(raw.flatMap(({ events }) => events.map(({ eventVersion }) => eventVersion))).toEqual([undefined, 2]);
});
