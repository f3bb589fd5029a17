/** Runs a NATS server program on the loopback interface with JetStream, restartable on the same port and store. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type NatsAccess, natsServerAddress, openConnection } from "#nats/open-connection.ts";
import { CliFailure } from "./failure.ts";
import { NATS_OLDEST } from "./nats-sources.ts";
import { ownerMark } from "./owned-processes.ts";
import { freePort } from "./ports.ts";
import { compareVersions } from "./version.ts";

export interface NatsServerOptions {
  /** Path of the program. */
  readonly binary: string;
  /** Holds the configuration, the log and the store. */
  readonly dataDir: string;
  /** Folder under whose mark the process is found after a crash; absent: `dataDir`. */
  readonly owner?: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** More of the server's configuration: its cluster, its accounts, its TLS. */
  readonly settings?: string;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Process id of the server that runs now; undefined when none does. */
  readonly pid: number | undefined;
  /** Calls back once when the running server ends without having been stopped. */
  onCrash(listener: () => void): void;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store; a no-op while it runs. */
  start(): Promise<void>;
  /** SIGTERM, then SIGKILL after a while; resolves when the process is gone. */
  stop(): Promise<void>;
}

/** Long, because a large store is checked before the server answers. */
const START_MS = 60_000;
const STOP_MS = 5_000;

const configText = (port: number, dataDir: string, settings: string): string =>
  [
    "host: 127.0.0.1",
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(join(dataDir, "store"))} }`,
    settings,
    "",
  ].join("\n");

const lastLines = async (file: string): Promise<string> =>
  (await readFile(file, "utf8").catch(() => "")).trim().split("\n").slice(-5).join("\n");

const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const waitForExit = (child: ChildProcess): Promise<void> =>
  exited(child) ? Promise.resolve() : new Promise((resolve) => child.once("exit", () => resolve()));

/** What the server at the address says of itself, or why it does not. */
const askServer = async (access: NatsAccess): Promise<{ version: string; jetstream: boolean }> => {
  const connection = await openConnection({ ...access, reconnect: false, timeout: 3_000 });
  const { version = "0.0.0", jetstream = false } = connection.info ?? {};
  await connection.close();
  return { version: version.split("-")[0] ?? version, jetstream };
};

/**
 * @param access what `servers` asks for beside the address
 * @throws CliFailure naming the address when there is no server of 2.9.10 or newer with JetStream behind it
 */
export const checkNatsUrl = async (url: string, access: Omit<NatsAccess, "servers"> = {}): Promise<void> => {
  const { servers: shown } = natsServerAddress(url);
  const server = await askServer({ ...access, servers: url }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliFailure(`cannot reach the NATS server of NATS_URL "${shown}": ${reason}`);
  });
  if (compareVersions(server.version, NATS_OLDEST) < 0 || !server.jetstream) {
    throw new CliFailure(
      `cannot use the NATS server of NATS_URL "${shown}": expected ${NATS_OLDEST} or newer with JetStream, found ${server.version} ${server.jetstream ? "with" : "without"} it`,
    );
  }
};

/** A group of its own keeps Ctrl-C of the terminal from it: it is stopped after those who use it. */
const launch = (binary: string, dataDir: string, owner: string): ChildProcess => {
  const log = openSync(join(dataDir, "nats.log"), "a");
  const child = spawn(binary, ["-c", join(dataDir, "nats.conf")], {
    stdio: ["ignore", log, log],
    detached: true,
    env: { ...process.env, ...ownerMark(owner) },
  });
  closeSync(log);
  child.on("error", () => {});
  // Whoever ends without stopping it, a test that was cut short for one, must not leave it behind.
  const endWithUs = () => child.kill("SIGKILL");
  process.once("exit", endWithUs);
  child.once("exit", () => process.removeListener("exit", endWithUs));
  return child;
};

/** A server says of itself what it is before it asks who is there, and before TLS. */
const greeting = (port: number): Promise<string> =>
  new Promise((resolve) => {
    let said = "";
    const socket = createConnection({ host: "127.0.0.1", port }).setEncoding("utf8").setTimeout(1_000);
    const end = () => socket.destroy();
    socket.on("data", (text: string) => {
      said += text;
      if (said.includes("\n")) end();
    });
    socket.on("timeout", end).on("error", end);
    socket.on("close", () => resolve(said));
  });

const waitUntilReady = async (child: ChildProcess, port: number, dataDir: string): Promise<void> => {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    if (child.pid === undefined || exited(child)) break;
    if (/^INFO .*"jetstream":true/.test(await greeting(port))) return;
    await delay(20);
  }
  child.kill("SIGKILL");
  throw new CliFailure(
    `the NATS server did not start; its log "${join(dataDir, "nats.log")}" ends in:\n${await lastLines(join(dataDir, "nats.log"))}`,
  );
};

/** @throws CliFailure with the end of the server's log when it does not start */
export const startNatsServer = async (options: NatsServerOptions): Promise<NatsServer> => {
  const { binary, dataDir, owner = dataDir, settings = "" } = options;
  await mkdir(dataDir, { recursive: true });
  const port = options.port ?? (await freePort());
  const url = `nats://127.0.0.1:${port}`;
  await writeFile(join(dataDir, "nats.conf"), configText(port, dataDir, settings));
  const crashListeners = new Set<() => void>();
  let running: ChildProcess | undefined;

  const start = async () => {
    if (running) return;
    const child = launch(binary, dataDir, owner);
    running = child;
    child.once("exit", () => {
      if (running !== child) return;
      running = undefined;
      for (const listener of crashListeners) listener();
    });
    try {
      await waitUntilReady(child, port, dataDir);
    } catch (error) {
      running = undefined;
      throw error;
    }
  };

  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    const child = running;
    running = undefined;
    if (!child) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await waitForExit(child);
    clearTimeout(timer);
  };

  await start();
  return {
    url,
    port,
    get pid() {
      return running?.pid;
    },
    onCrash: (listener) => crashListeners.add(listener),
    kill: () => end("SIGKILL"),
    start,
    stop: () => end("SIGTERM"),
  };
};
