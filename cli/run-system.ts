/** What `npm start` and `npm run dev` share: checks, NATS, the workers, the table of addresses, and a clean end. */
import { join, relative } from "node:path";
import { natsServerAddress } from "#nats/open-connection.ts";
import { acquireNats } from "./acquire-nats.ts";
import { controlSecretsFile } from "./control-secrets.ts";
import { dataFolderOf, openDataFolder } from "./data-folder.ts";
import { CliFailure } from "./failure.ts";
import { type LocalSystem, startLocalSystem } from "./local-system.ts";
import { natsAccessOf, type OwnNatsAccess } from "./nats-access.ts";
import { checkNatsUrl, type NatsServer, startNatsServer } from "./nats-server.ts";
import { portRefusal } from "./ports.ts";
import { sayOnTerminal as say, step } from "./progress.ts";
import { machineTools } from "./tools.ts";
import { ROOT, WORKERS } from "./workers.ts";

export interface SystemSettings {
  readonly port: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  /** A server that somebody else runs; absent: one is started. */
  readonly natsUrl?: string;
  /** What that server asks for. */
  readonly natsAccess?: OwnNatsAccess;
  /** Variables that go on to every worker. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where a NATS server usually listens; a free port is taken when it is in use. */
const NATS_PORT = 4222;

/** A crashed server is started again, at most this often in one run. */
const NATS_RESTARTS = 100;

/** @throws CliFailure naming the argument or variable that is not valid */
export const readSettings = (args: readonly string[], env: NodeJS.ProcessEnv): SystemSettings => {
  const unknown = args.find((arg) => arg !== "--fresh");
  if (unknown !== undefined) throw new CliFailure(`cannot use the argument "${unknown}": expected --fresh`);
  const port = Number(env.PORT ?? 8787);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new CliFailure(`cannot listen on PORT "${env.PORT}": expected a number from 1 to 65535`);
  }
  const collector = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  return {
    port,
    dataDir: dataFolderOf(env),
    fresh: args.includes("--fresh"),
    // A server of our own is asked for nothing, and must not be given another's credentials.
    ...(env.NATS_URL ? { natsUrl: env.NATS_URL, natsAccess: natsAccessOf(env) } : {}),
    env: collector ? { OTEL_EXPORTER_OTLP_ENDPOINT: collector } : {},
  };
};

const checkPort = async (port: number): Promise<void> => {
  const refusal = await portRefusal(port);
  if (refusal) throw new CliFailure(`cannot listen on port ${port}: ${refusal}; PORT chooses another`);
};

/** Brings a crashed server back: the workers connect again by themselves. */
const restartOnCrash = (server: NatsServer): void => {
  let restarts = 0;
  server.onCrash(() => {
    restarts += 1;
    if (restarts > NATS_RESTARTS) return say("  The NATS server keeps ending; it is not started again");
    say("  The NATS server ended; starting it again");
    server.start().catch((error: unknown) => say(`  ${error instanceof Error ? error.message : error}`));
  });
};

const startOwnNats = async (dataDir: string, signal: AbortSignal): Promise<NatsServer> => {
  const program = await acquireNats({ tools: machineTools(signal) });
  const preferred = (await portRefusal(NATS_PORT)) === null ? { port: NATS_PORT } : {};
  const server = await step(`Starting NATS ${program.version}`, () =>
    startNatsServer({ binary: program.path, dataDir: join(dataDir, "nats"), owner: dataDir, ...preferred }),
  );
  restartOnCrash(server);
  return server;
};

/** As short as it can be named from the project's folder. */
const shownPath = (path: string): string => {
  const short = relative(ROOT, path);
  return short.startsWith("..") ? path : short;
};

const addressTable = (system: LocalSystem, natsUrl: string, dataDir: string): string => {
  const local = system.url.replace("127.0.0.1", "localhost");
  const rows = WORKERS.flatMap(({ name, title, page }): [string, string][] => {
    const own = system.services[name]?.replace("127.0.0.1", "localhost");
    if (page) return [[title, `${local}${page}`]];
    return own ? [[title, own]] : [];
  });
  rows.push(["NATS", natsServerAddress(natsUrl).servers]);
  rows.push(["control token", shownPath(controlSecretsFile(dataDir))]);
  const width = Math.max(...rows.map(([title]) => title.length));
  return rows.map(([title, url]) => `  ${title.padEnd(width)}  ${url}`).join("\n");
};

export interface RunningSystem {
  readonly system: LocalSystem;
  /** Stops everything, in the reverse order of starting. */
  close(): Promise<void>;
}

/**
 * Checks everything that can be refused before anything is started.
 * @param signal stops a start that is under way
 * @throws CliFailure when the system cannot run; nothing that was started is left then
 */
export const runSystem = async (settings: SystemSettings, signal: AbortSignal): Promise<RunningSystem> => {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const folder = await openDataFolder(settings.dataDir, settings);
    closers.push(folder.release);
    if (folder.leftovers > 0) say(`  Ended ${folder.leftovers} processes that an earlier start left behind`);
    await checkPort(settings.port);
    const natsUrl = settings.natsUrl ?? (await ownNatsUrl());
    const { natsAccess = {} } = settings;
    if (settings.natsUrl) await checkNatsUrl(settings.natsUrl, natsAccess);
    signal.throwIfAborted();
    const system = await step("Building and starting the workers", () =>
      startLocalSystem({
        port: settings.port,
        dataDir: folder.path,
        natsUrl,
        natsAccess,
        env: settings.env,
        signal,
      }),
    );
    closers.push(system.close);
    signal.throwIfAborted();
    say(`\n${addressTable(system, natsUrl, folder.path)}\n`);
    process.stdout.write(`Skerry is ready on http://localhost:${settings.port}\n`);
    return { system, close };
  } catch (error) {
    await close();
    throw error;
  }

  async function ownNatsUrl(): Promise<string> {
    const server = await startOwnNats(settings.dataDir, signal);
    closers.push(server.stop);
    return server.url;
  }
};
