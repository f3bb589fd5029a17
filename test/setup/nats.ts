/** NATS servers for tests: the programs that `npm test` found, and servers on free ports with stores of their own. */
import { findNats, type NatsProgram } from "#cli/acquire-nats.ts";
import { type NatsServer, type NatsServerOptions, startNatsServer } from "#cli/nats-server.ts";
import { machineTools } from "#cli/tools.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Variables by which `npm test` hands the programs to the tests, as `<version>=<path>`. */
export const NATS_BINARY = "SKERRY_NATS_BINARY";
export const NATS_OLDEST_BINARY = "SKERRY_NATS_OLDEST_BINARY";

const fromVariable = (name: string): NatsProgram | null => {
  const [, version, path] = process.env[name]?.match(/^([^=]+)=(.+)$/) ?? [];
  return version && path ? { version, path } : null;
};

/** The newest server that could be had. @throws Error when there is none: `npm test` fetches one */
export const newestNats = async (): Promise<NatsProgram> => {
  const found =
    fromVariable(NATS_BINARY) ?? (await findNats({ tools: machineTools(new AbortController().signal) }));
  if (!found)
    throw new Error("cannot find a NATS server: expected `npm test` or `npm start` to have run once");
  return found;
};

/** The oldest and the newest server, one entry when they are the same; for `describe.each`. */
export const natsPrograms = async (): Promise<NatsProgram[]> => {
  const newest = await newestNats();
  const oldest = fromVariable(NATS_OLDEST_BINARY);
  return oldest && oldest.version !== newest.version ? [oldest, newest] : [newest];
};

export interface TestNats extends NatsServer {
  /** Stops the server and removes its store. */
  dispose(): Promise<void>;
}

/** A server on a free port with an empty store; `kill()` and `start()` make it crash and come back with its store. */
export const startNats = async (
  program?: NatsProgram,
  options: Pick<NatsServerOptions, "port" | "settings"> = {},
): Promise<TestNats> => {
  const { path } = program ?? (await newestNats());
  const folder = await temporaryFolder("nats");
  const server = await startNatsServer({ ...options, binary: path, dataDir: folder.path });
  const dispose = async () => {
    await server.stop();
    await folder.remove();
  };
  // Not a spread: `pid` is a getter and must stay one.
  return Object.defineProperties({ dispose }, Object.getOwnPropertyDescriptors(server)) as TestNats;
};
