/** One conditional append through the log beside the NATS client's own conditional publish, both in Node. */
import { type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { natsConnector } from "#nats/connection.ts";
import { encodeCommit } from "#nats/envelope.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { commitSubject } from "#nats/subjects.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { appendOrder } from "./append-order.ts";
import type { BenchGround } from "./bench-system.ts";
import { type Figure, NATS_DURABILITY } from "./figure.ts";
import { inTurns, repeated } from "./in-turns.ts";
import { placedOrder } from "./placed-order.ts";

const AIM = 0.85;
const OURS = "bench";
const BARE = "bench-bare";
const IN_FLIGHT = [1, 64];

export const measureAppend = async (ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  startWorkerTelemetry({ service: "bench", version: "1", send: async () => new Response() });
  const nats = await ground.startNats();
  const connection = await connect({ servers: nats.url });
  const tuned = await connect({ servers: nats.url, noAsyncTraces: true });
  const connector = natsConnector({ url: nats.url, name: "bench", clock: systemClock });
  try {
    const manager = await jetstreamManager(connection);
    for (const service of [OURS, BARE]) await manager.streams.add(logStreamConfig(service));
    const log = jetStreamEventLog({ service: OURS, connector, clock: systemClock });
    const clients = { "the client as it comes": connection, "the client without stack traces": tuned };
    const turns = quick
      ? { pairs: 3, sliceMs: 300, warmUpMs: 500 }
      : { pairs: 8, sliceMs: 600, warmUpMs: 1_500 };
    const figures: Figure[] = [];
    for (const inFlight of IN_FLIGHT) {
      const ours = repeated(inFlight, () => appendOrder(log));
      for (const [name, bareConnection] of Object.entries(clients)) {
        const client = jetstream(bareConnection);
        const bare = repeated(inFlight, () => publish(client));
        figures.push({
          name: `append, ${inFlight} in flight, beside ${name}`,
          unit: "appends/s",
          durability: NATS_DURABILITY,
          ...(bareConnection === connection && { aim: AIM }),
          ...(await inTurns({ ours, bare, ...turns })),
        });
      }
    }
    return figures;
  } finally {
    await connector.close();
    await connection.close();
    await tuned.close();
    await nats.stop();
  }
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
