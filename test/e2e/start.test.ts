/** What `npm start` promises of itself: it refuses in one line what cannot work, and leaves nothing behind when it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ownedProcesses } from "#cli/owned-processes.ts";
import { freePort } from "#cli/ports.ts";
import { ROOT } from "#cli/workers.ts";
import { newestNats } from "../setup/nats.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";

interface Started {
  readonly process: ChildProcess;
  readonly errors: () => string;
  /** Resolves when it says that it is ready. @throws when it ends before */
  ready(): Promise<void>;
  /** Resolves with its exit code. */
  ended(): Promise<number | null>;
}

let folder: TemporaryFolder;
let natsFolder: string;
const running = new Set<ChildProcess>();

/** As npm runs it. @param variables stronger than what the tests were started with */
const start = (variables: Readonly<Record<string, string>>): Started => {
  const { NATS_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(ROOT, "cli/bootstrap.mjs"), "start"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, PATH: `${natsFolder}${delimiter}${env.PATH}`, ...variables },
  });
  running.add(child);
  const exit = once(child, "close").then(([code]) => code as number | null);
  const said = { output: "", errors: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.errors += text;
  });
  return {
    process: child,
    errors: () => said.errors,
    ready: () =>
      vi.waitFor(
        () => {
          if (!said.output.includes("Skerry is ready on")) throw new Error(`Not ready: ${said.errors}`);
        },
        { timeout: 25_000, interval: 50 },
      ),
    ended: () => exit,
  };
};

const expectRefusal = async (started: Started, line: RegExp) => {
  expect(await started.ended()).toBe(1);
  expect(started.errors()).toMatch(line);
  expect(started.errors().trim().split("\n")).toHaveLength(1);
};

beforeAll(async () => {
  natsFolder = dirname((await newestNats()).path);
  folder = await temporaryFolder("start");
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});
afterAll(() => folder?.remove());

describe("a start that cannot work is refused in one line, with nothing left running", () => {
  afterEach(() => expect(ownedProcesses(folder.path)).toEqual([]));

  test("when another program has the port", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const started = start({ PORT: `${port}`, SKERRY_DATA_DIR: folder.path });
    await expectRefusal(started, new RegExp(`^skerry: cannot listen on port ${port}: it is in use`));
    other.close();
  });

  test("when the data folder is no folder", async () => {
    const file = join(folder.path, "file");
    await writeFile(file, "");
    const started = start({ PORT: `${await freePort()}`, SKERRY_DATA_DIR: file });
    await expectRefusal(started, /^skerry: cannot use the data folder ".*file" \(EEXIST\)/);
  });

  test("when nobody answers at NATS_URL, whose password it keeps to itself", async () => {
    const nats = `127.0.0.1:${await freePort()}`;
    const started = start({
      PORT: `${await freePort()}`,
      SKERRY_DATA_DIR: folder.path,
      NATS_URL: `nats://shop:s3cret@${nats}`,
    });
    await expectRefusal(
      started,
      new RegExp(`^skerry: cannot reach the NATS server of NATS_URL "nats://${nats}": `),
    );
  });
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s stops everything, and a second start does not disturb",
  {
    timeout: 60_000,
  },
  async (signal) => {
    const PORT = `${await freePort()}`;
    const first = start({ PORT, SKERRY_DATA_DIR: folder.path });
    await first.ready();
    expect(ownedProcesses(folder.path).length).toBeGreaterThanOrEqual(2);

    const second = start({ PORT: `${await freePort()}`, SKERRY_DATA_DIR: folder.path });
    await expectRefusal(second, /^skerry: .*data folder/);
    expect((await fetch(`http://127.0.0.1:${PORT}/readyz`)).status).toBe(200);

    first.process.kill(signal);
    expect(await first.ended()).toBe(0);
    expect(ownedProcesses(folder.path)).toEqual([]);
  },
);
