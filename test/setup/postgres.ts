/** A Postgres server for tests: what the machine has, on a Unix socket of its own or a port, with an empty store. */
import { execFile, spawn } from "node:child_process";
import { access, chown, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);

export interface TestPostgres {
  readonly url: string;
  readonly version: string;
  dispose(): Promise<void>;
}

/** Debian keeps its programs here, one folder a version, and not in PATH. */
const DEBIAN = "/usr/lib/postgresql";

/** The folder of `postgres` and `initdb`; undefined when the machine has none. */
const findPrograms = async (): Promise<string | undefined> => {
  const versions = await readdir(DEBIAN).catch(() => []);
  const newestFirst = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, "bin"));
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...newestFirst]) {
    const all = ["postgres", "initdb"].map((program) => access(join(folder, program)));
    if ((await Promise.allSettled(all)).every(({ status }) => status === "fulfilled")) return folder;
  }
  return undefined;
};

/** Postgres refuses to run as root. */
const otherUser = async (): Promise<{ uid: number; gid: number } | undefined> => {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run("id", [flag, "nobody"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
};

/** What is lost by a crash is no matter here. */
const SETTINGS = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "listen_addresses=",
  "deadlock_timeout=20ms",
];

/** @returns why there is none, where the machine has no Postgres */
export const startPostgres = async ({
  port,
}: {
  /** On 127.0.0.1, for who cannot open a Unix socket. */
  port?: number;
} = {}): Promise<TestPostgres | { readonly missing: string }> => {
  const programs = await findPrograms();
  if (!programs) return { missing: `no postgres and initdb in PATH or ${DEBIAN}/*/bin` };
  const user = await otherUser();
  const folder = await temporaryFolder("postgres");
  if (user) await chown(folder.path, user.uid, user.gid);
  const data = join(folder.path, "data");
  const as = { ...user, cwd: folder.path };
  await run(
    join(programs, "initdb"),
    ["-D", data, "-U", "skerry", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    as,
  );
  const settings = [...SETTINGS, `listen_addresses=${port === undefined ? "" : "127.0.0.1"}`];
  const listen = ["-k", folder.path, ...(port === undefined ? [] : ["-p", `${port}`])];
  const options = ["-D", data, ...listen, ...settings.flatMap((setting) => ["-c", setting])];
  const server = spawn(join(programs, "postgres"), options, { ...as, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const dispose = async () => {
    server.kill("SIGQUIT");
    await ended;
    await folder.remove();
  };
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
      if (said.includes("ready to accept connections")) resolve();
    });
    void ended.then(() => reject(new Error(`Starting "${programs}/postgres": it ended, saying "${said}"`)));
  });
  try {
    await ready;
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const { stdout } = await run(join(programs, "postgres"), ["--version"]);
  return {
    url:
      port === undefined
        ? `postgres://skerry@localhost/postgres?host=${encodeURIComponent(folder.path)}`
        : `postgres://skerry@127.0.0.1:${port}/postgres`,
    version: stdout.trim(),
    dispose,
  };
};
