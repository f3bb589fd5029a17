/** Holds that the plan puts each log on three servers, and finds it there while one of them is gone. */
import { expect, test } from "vitest";
import { openConnection } from "#nats/open-connection.ts";
import { applyPlan, planServer } from "#nats/plan-server.ts";
import { isServerFrom } from "#nats/server-version.ts";
import { newestNats } from "../setup/nats.ts";
import { startNatsCluster } from "../setup/nats-cluster.ts";

const { version } = await newestNats();

// Older servers take two commits for the same place where there are replicas: the plan refuses them there.
test.skipIf(!isServerFrom(version, [2, 11]))(
  "one replica becomes three without a loss, and never fewer; a server that is gone changes no plan",
  async () => {
    const cluster = await startNatsCluster();
    try {
      const connection = await openConnection({ servers: cluster.urls.join(","), reconnect: false });
      const plan = async (replicas: number) => {
        const { streams, cluster: name } = await planServer(connection, { replicas });
        expect(name).toBe("test");
        return [...new Set(streams.map(({ does }) => does))];
      };
      const apply = async (replicas: number) =>
        applyPlan(connection, await planServer(connection, { replicas }), { replicas });

      await apply(1);
      await connection.request("log.orders.order.a", "[]");
      expect(await plan(3)).toEqual(["change"]);
      await apply(3);
      expect(await plan(3)).toEqual(["nothing"]);
      expect(await plan(1)).toEqual(["refuse"]);
      const place = connection.getServer();
      await cluster.servers.find(({ url }) => !url.endsWith(place))?.kill();
      await cluster.settled();
      // A log whose leader is gone answers when the others have chosen another one.
      await expect.poll(() => plan(3).catch(() => null), { timeout: 30_000 }).toEqual(["nothing"]);
      await connection.close();
    } finally {
      await cluster.dispose();
    }
  },
);
