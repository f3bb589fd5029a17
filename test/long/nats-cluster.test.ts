/** Holds what other tests take from a cluster: replicas on all servers, also after a crash of the leader. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { natsPrograms } from "../setup/nats.ts";
import { startNatsCluster } from "../setup/nats-cluster.ts";

const managed = async <T>(
  url: string,
  work: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>,
): Promise<T> => {
  const connection = await connect({ servers: url, reconnect: false });
  try {
    return await work(await jetstreamManager(connection, { timeout: 1_000 }), connection);
  } finally {
    await connection.close();
  }
};

test.each(await natsPrograms())(
  "a cluster of NATS $version keeps what it acknowledged while its stream's leader is killed and comes back",
  async (program) => {
    const cluster = await startNatsCluster(program);
    try {
      const [url = ""] = cluster.urls;
      const placed = await managed(url, async (manager, connection) => {
        const { cluster: where } = await manager.streams.add({ name: "s", subjects: ["s"], num_replicas: 3 });
        await connection.request("s", "1");
        return where;
      });
      expect(placed?.replicas).toHaveLength(2);
      const leader = cluster.servers.find(({ name }) => name === placed?.leader);
      const other = cluster.servers.find((server) => server !== leader);
      const kept = () =>
        managed(other?.url ?? "", async (manager) => (await manager.streams.info("s")).state.messages);

      await leader?.kill();
      expect(leader?.pid).toBeUndefined();
      await cluster.settled();
      await expect.poll(() => kept().catch(() => null), { timeout: 10_000 }).toBe(1);
      await leader?.restart();
      expect(leader?.pid).toBeDefined();
      await expect.poll(() => kept().catch(() => null), { timeout: 10_000 }).toBe(1);
    } finally {
      await cluster.dispose();
    }
  },
);
