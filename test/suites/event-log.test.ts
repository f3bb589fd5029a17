/** The EventLog suite: in memory, and on JetStream of the oldest and the newest server. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe } from "vitest";
import { natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "../setup/nats.ts";
import { testEventLog } from "./event-log.ts";

testEventLog("in memory", { create: async () => memoryEventLog() });

for (const program of await natsPrograms()) {
  describe(`NATS ${program.version}`, () => {
    let nats: TestNats;
    let connection: NatsConnection;
    let logs = 0;
    const connectors: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      nats = await startNats(program);
      connection = await connect({ servers: nats.url });
    });
    afterAll(async () => {
      for (const connector of connectors) await connector.close();
      await connection?.close();
      await nats?.dispose();
    });

    testEventLog(`JetStream ${program.version}`, {
      async create() {
        const service = `service-${++logs}`;
        const manager = await jetstreamManager(connection);
        await manager.streams.add(logStreamConfig(service));
        const connector = natsConnector({ url: nats.url, name: "suite", clock: systemClock });
        connectors.push(connector);
        return jetStreamEventLog({ service, connector, clock: systemClock });
      },
    });
  });
}
