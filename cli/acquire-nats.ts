/** Finds a NATS server program on the machine or in the cache, or fetches one into the cache. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CliFailure } from "./failure.ts";
import { NATS_NEWEST, NATS_OLDEST, type NatsSource, NEWEST_SOURCES, OLDEST_SOURCES } from "./nats-sources.ts";
import { type Say, sayOnTerminal, step } from "./progress.ts";
import type { Tools } from "./tools.ts";
import { compareVersions, versionIn } from "./version.ts";
import { ROOT } from "./workers.ts";

export interface NatsProgram {
  readonly path: string;
  readonly version: string;
}

export interface AcquireOptions {
  readonly tools: Tools;
  /** Holds `<version>/nats-server`. */
  readonly cacheDir?: string;
  readonly say?: Say;
}

export const NATS_CACHE = join(ROOT, ".skerry", "tools", "nats");

/** How to get one by hand, for the message when nothing worked. */
const WAYS_OUT = [
  "  docker run --rm -p 127.0.0.1:4222:4222 nats:latest -js    then  NATS_URL=nats://127.0.0.1:4222 npm start",
  "  brew install nats-server, or any package that puts nats-server on PATH",
  "  https://github.com/nats-io/nats-server/releases           unpack it, put nats-server on PATH",
];

const versionOf = async (tools: Tools, path: string): Promise<string | null> => {
  const said = await tools.run(path, ["--version"], { timeoutMs: 5_000 });
  return said.ok ? versionIn(said.value) : null;
};

/** The cached programs, newest first; the folder's name is the version. */
export const cachedPrograms = (cacheDir: string): NatsProgram[] =>
  (existsSync(cacheDir) ? readdirSync(cacheDir) : [])
    .filter((name) => versionIn(name) === name)
    .map((version) => ({ version, path: join(cacheDir, version, "nats-server") }))
    .filter(({ path }) => existsSync(path))
    .sort((a, b) => compareVersions(b.version, a.version));

const programOnPath = async (tools: Tools): Promise<NatsProgram | null> => {
  const path = tools.which("nats-server");
  const version = path && (await versionOf(tools, path));
  return path && version ? { path, version } : null;
};

/** Fetches into a folder of its own and moves it to its place when the program runs: others never see a half-done one. */
const fetchFrom = async (
  source: NatsSource,
  tools: Tools,
  cacheDir: string,
): Promise<NatsProgram | string> => {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "new-"));
  try {
    const obtained = await source.obtain(tools, folder);
    if (!obtained.ok) return obtained.error;
    const fetched = join(folder, "nats-server");
    const version = await versionOf(tools, fetched);
    if (version === null) return "the program does not run here";
    const home = join(cacheDir, version);
    const path = join(home, "nats-server");
    await mkdir(home, { recursive: true });
    await rename(fetched, path);
    return { path, version };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The first source that gives the program, or what each of them said. */
const fetchFromFirst = async (
  sources: readonly NatsSource[],
  { tools, cacheDir = NATS_CACHE, say = sayOnTerminal }: AcquireOptions,
): Promise<NatsProgram | string[]> => {
  const refusals: string[] = [];
  for (const source of sources) {
    const impossible = source.impossible(tools);
    const got =
      impossible ?? (await step(`Fetching ${source.title}`, () => fetchFrom(source, tools, cacheDir), say));
    if (typeof got !== "string") return got;
    say(`  Skipped ${source.title}: ${got}`);
    refusals.push(`  ${source.title}: ${got}`);
  }
  return refusals;
};

/**
 * A server of at least 2.9.10: from PATH, the cache, or the first source that gives one.
 * @throws CliFailure with the ways out when there is none
 */
export const acquireNats = async (options: AcquireOptions): Promise<NatsProgram> => {
  const found = await findNats(options);
  if (found) return found;
  const fetched = await fetchFromFirst(NEWEST_SOURCES, options);
  if (!Array.isArray(fetched)) return fetched;
  throw new CliFailure(
    `no NATS server of ${NATS_OLDEST} or newer could be had. Tried:\n${fetched.join("\n")}\nWays out:\n${WAYS_OUT.join("\n")}`,
  );
};

/** What stands on the machine already, PATH before cache; null when nothing is new enough. */
export const findNats = async ({
  tools,
  cacheDir = NATS_CACHE,
}: AcquireOptions): Promise<NatsProgram | null> => {
  const usable = ({ version }: NatsProgram) => compareVersions(version, NATS_OLDEST) >= 0;
  const onPath = await programOnPath(tools);
  return onPath && usable(onPath) ? onPath : (cachedPrograms(cacheDir).find(usable) ?? null);
};

/** The newest that can be had, for tests: what stands here is enough only when it is as new as the sources'. */
export const acquireNewestNats = async (options: AcquireOptions): Promise<NatsProgram> => {
  const onPath = await programOnPath(options.tools);
  const standing = [...(onPath ? [onPath] : []), ...cachedPrograms(options.cacheDir ?? NATS_CACHE)]
    .sort((a, b) => compareVersions(b.version, a.version))
    .at(0);
  if (standing && compareVersions(standing.version, NATS_NEWEST) >= 0) return standing;
  const fetched = await fetchFromFirst(NEWEST_SOURCES, options);
  if (!Array.isArray(fetched)) return fetched;
  return standing ?? acquireNats(options);
};

/** The oldest supported server, for tests; null when it cannot be had. */
export const acquireOldestNats = async (options: AcquireOptions): Promise<NatsProgram | null> => {
  const cached = cachedPrograms(options.cacheDir ?? NATS_CACHE).find(
    ({ version }) => version === NATS_OLDEST,
  );
  if (cached) return cached;
  const fetched = await fetchFromFirst(OLDEST_SOURCES, options);
  return Array.isArray(fetched) ? null : fetched;
};
