/** One conditional append through the log beside the NATS client's own conditional publish, both in Node. */
import { performance } from "node:perf_hooks";
import { type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { natsConnector } from "#nats/connection.ts";
import { encodeCommit } from "#nats/envelope.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { commitSubject } from "#nats/subjects.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";
import { inTurns, type Slice } from "./in-turns.ts";
import { placedOrder } from "./placed-order.ts";

const AIM = 0.8;
const OURS = "bench";
const BARE = "bench-bare";
const IN_FLIGHT = [1, 64];

export const measureAppend = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  // As in a worker: unless a trace is asked for, the sampler keeps a few a second and lets the others pass.
  startWorkerTelemetry({ service: "bench", version: "1", send: async () => new Response() });
  const nats = await ground.startNats();
  // As the log's own connection: stack traces for failures that do not happen are no part of a publish.
  const connection = await connect({ servers: nats.url, noAsyncTraces: true });
  const connector = natsConnector({ url: nats.url, name: "bench", clock: systemClock });
  try {
    const manager = await jetstreamManager(connection);
    for (const service of [OURS, BARE]) await manager.streams.add(logStreamConfig(service));
    const log = jetStreamEventLog({ service: OURS, connector, clock: systemClock });
    const client = jetstream(connection);
    const turns = quick
      ? { pairs: 4, sliceMs: 300, warmUpMs: 500 }
      : { pairs: 10, sliceMs: 800, warmUpMs: 2_000 };
    const figures: Figure[] = [];
    for (const inFlight of IN_FLIGHT) {
      const ours = repeated(inFlight, () => append(log));
      const bare = repeated(inFlight, () => publish(client));
      figures.push({
        name: `append to the log, ${inFlight} in flight`,
        unit: "appends/s",
        aim: AIM,
        ...(await inTurns({ ours, bare, ...turns })),
      });
    }
    return figures;
  } finally {
    await connector.close();
    await connection.close();
    await nats.stop();
  }
};

const repeated =
  (inFlight: number, work: () => Promise<void>): Slice =>
  async (ms) => {
    const start = performance.now();
    let done = 0;
    const lane = async () => {
      while (performance.now() - start < ms) {
        await work();
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return (done * 1000) / (performance.now() - start);
  };

const append = async (log: EventLog): Promise<void> => {
  const appended = await log.append(placedOrder(crypto.randomUUID()));
  if (!appended.ok) throw new Error(`Appending: refused as "${appended.error.code}", expected a position`);
};

/** Made once, so that making it is not counted for the bare side: the client's publish knows no events. */
const PAYLOAD = encodeCommit(BARE, placedOrder(crypto.randomUUID())).payload;

const publish = async (client: JetStreamClient): Promise<void> => {
  const id = crypto.randomUUID();
  await client.publish(commitSubject(BARE, { type: "order", id }), PAYLOAD, {
    msgID: id,
    expect: { lastSubjectSequence: 0 },
  });
};
