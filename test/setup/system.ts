/** The whole system for one test file: every worker over a NATS server of its own, storage in a temporary folder. */
import type { NatsProgram } from "#cli/acquire-nats.ts";
import { type LocalSystem, type LocalSystemOptions, startLocalSystem } from "#cli/local-system.ts";
import { startNats, type TestNats } from "./nats.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface TestSystem extends LocalSystem {
  readonly nats: TestNats;
  /** Kills nothing but the workers, and starts them again on the same storage and the same address. */
  restartWorkers(): Promise<TestSystem>;
}

export interface TestSystemOptions extends Pick<LocalSystemOptions, "env" | "overrides" | "sockets"> {
  /** Absent: the newest that could be had. */
  readonly program?: NatsProgram;
}

/** Ready when it resolves. `close()` stops everything and removes the storage. */
export const startTestSystem = async ({ program, ...rest }: TestSystemOptions = {}): Promise<TestSystem> => {
  const nats = await startNats(program);
  const folder = await temporaryFolder("system");
  const start = async (port: number): Promise<TestSystem> => {
    const system = await startLocalSystem({ port, dataDir: folder.path, natsUrl: nats.url, ...rest });
    return {
      ...system,
      nats,
      restartWorkers: async () => {
        await system.close();
        return start(Number(new URL(system.url).port));
      },
      close: async () => {
        await system.close();
        await nats.dispose();
        await folder.remove();
      },
    };
  };
  try {
    return await start(0);
  } catch (error) {
    await nats.dispose();
    await folder.remove();
    throw error;
  }
};
