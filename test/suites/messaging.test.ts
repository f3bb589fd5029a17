/** The suite of messages: in memory, and over core NATS of the oldest and the newest server. */
import { afterAll, beforeAll, describe } from "vitest";
import { natsConnector } from "#nats/connection.ts";
import { natsMessages } from "#nats/messaging/nats-messages.ts";
import { memoryMessageServer } from "#shared/messaging/memory-message-server.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { natsPrograms, startNats, type TestNats } from "../setup/nats.ts";
import { testMessaging } from "./messaging.ts";

describe("in this process", () => {
  const server = memoryMessageServer();
  testMessaging("in memory", { connect: async () => server.connect() });
});

for (const program of await natsPrograms()) {
  describe(`NATS ${program.version}`, () => {
    let nats: TestNats;
    const connectors: { close(): Promise<void> }[] = [];

    beforeAll(async () => {
      nats = await startNats(program);
    });
    afterAll(async () => {
      for (const connector of connectors) await connector.close();
      await nats?.dispose();
    });

    testMessaging(`over NATS ${program.version}`, {
      async connect() {
        const connector = natsConnector({ url: nats.url, name: "suite", clock: systemClock });
        connectors.push(connector);
        return natsMessages({ connector, clock: systemClock });
      },
    });
  });
}
