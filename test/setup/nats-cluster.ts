/** A cluster of three JetStream servers for tests, on free ports of this machine, each with a store of its own. */
import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { NatsProgram } from "#cli/acquire-nats.ts";
import { freePort } from "#cli/ports.ts";
import { startNats, type TestNats } from "./nats.ts";

export interface ClusterServer {
  readonly name: string;
  readonly url: string;
  /** Process id of the server that runs now; undefined when none does. */
  readonly pid: number | undefined;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and store; resolves when the cluster has a leader and, with all there, places replicas on it. */
  restart(): Promise<void>;
}

export interface NatsCluster {
  /** Of all three, in the order of `servers`. */
  readonly urls: readonly string[];
  readonly servers: readonly ClusterServer[];
  /** Resolves when a leader stands and, with all servers there, a stream can have a replica on each. */
  settled(): Promise<void>;
  /** Stops the servers and removes their stores. */
  dispose(): Promise<void>;
}

const SETTLED_MS = 30_000;

const differentPorts = async (count: number): Promise<number[]> => {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
};

const clusterSettings = (name: string, port: number, all: readonly number[]): string =>
  [
    `server_name: ${name}`,
    "cluster {",
    "  name: test",
    `  listen: "127.0.0.1:${port}"`,
    `  routes: [${all.map((route) => `"nats-route://127.0.0.1:${route}"`).join(", ")}]`,
    "}",
  ].join("\n");

/** Whether a leader answers. With a server that is gone more cannot be asked: 2.9 places streams on that one for a while. */
const isLed = async (url: string): Promise<boolean> => {
  const connection = await connect({ servers: url, reconnect: false, timeout: 1_000 });
  try {
    await (await jetstreamManager(connection, { timeout: 1_000 })).getAccountInfo();
    return true;
  } finally {
    await connection.close();
  }
};

/** Whether the leader can place a stream of so many replicas: the only thing that each version tells alike. */
const places = async (url: string, replicas: number): Promise<boolean> => {
  const connection = await connect({ servers: url, reconnect: false, timeout: 1_000 });
  try {
    const manager = await jetstreamManager(connection, { timeout: 1_000 });
    const name = "settled";
    await manager.streams.add({
      name,
      subjects: ["settled"],
      storage: StorageType.Memory,
      num_replicas: replicas,
    });
    return await manager.streams.delete(name);
  } finally {
    await connection.close();
  }
};

/** @throws Error with the end of a server's log when one does not start, or when no leader comes to be */
export const startNatsCluster = async (program?: NatsProgram): Promise<NatsCluster> => {
  const names = ["one", "two", "three"];
  const ports = await differentPorts(2 * names.length);
  const [clients, routes] = [ports.slice(0, names.length), ports.slice(names.length)];
  const started = await Promise.allSettled(
    names.map((name, index) =>
      startNats(program, {
        port: clients[index] ?? 0,
        settings: clusterSettings(name, routes[index] ?? 0, routes),
      }),
    ),
  );
  const all = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const dispose = async () => void (await Promise.all(all.map((server) => server.dispose())));

  const settled = async () => {
    const running = all.filter(({ pid }) => pid !== undefined);
    const [first] = running;
    const end = Date.now() + SETTLED_MS;
    while (first && Date.now() < end) {
      const asked = running.length < all.length ? isLed(first.url) : places(first.url, running.length);
      if (await asked.catch(() => false)) return;
      await delay(50);
    }
    throw new Error(`The cluster did not settle: ${running.length} servers run, expected a leader of them`);
  };

  const member = (name: string, server: TestNats): ClusterServer => ({
    name,
    url: server.url,
    get pid() {
      return server.pid;
    },
    kill: server.kill,
    async restart() {
      await server.start();
      await settled();
    },
  });

  try {
    for (const one of started) if (one.status === "rejected") throw one.reason;
    await settled();
  } catch (error) {
    await dispose();
    throw error;
  }
  const servers = names.flatMap((name, index) => {
    const server = all[index];
    return server ? [member(name, server)] : [];
  });
  return { urls: servers.map(({ url }) => url), servers, settled, dispose };
};
