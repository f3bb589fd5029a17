/** Fetches the other runtimes that processes are tested on, Bun and Deno, from npm into the cache; nobody needs them otherwise. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { err, ok, type Result } from "#shared/result.ts";
import { type Say, sayOnTerminal, step } from "./progress.ts";
import type { Tools } from "./tools.ts";
import { versionIn } from "./version.ts";
import { ROOT } from "./workers.ts";

export const RUNTIME_NAMES = ["bun", "deno"] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

export interface RuntimeProgram {
  readonly version: string;
  readonly path: string;
}

export interface AcquireRuntimeOptions {
  readonly tools: Tools;
  /** Holds `<runtime>-<version>/`. */
  readonly cacheDir?: string;
  readonly say?: Say;
}

/** An npm package that carries the program of one platform. */
interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** Not every version is published for every platform. */
const PACKAGES: Readonly<Record<RuntimeName, Readonly<Record<string, RuntimePackage>>>> = {
  bun: {
    "linux-amd64": {
      name: "@oven/bun-linux-x64",
      version: "1.4.5",
      integrity:
        "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    },
    "linux-arm64": {
      name: "@oven/bun-linux-aarch64",
      version: "1.4.5",
      integrity:
        "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    },
    "darwin-amd64": {
      name: "@oven/bun-darwin-x64",
      version: "1.4.5",
      integrity:
        "sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==",
    },
    "darwin-arm64": {
      name: "@oven/bun-darwin-aarch64",
      version: "1.4.5",
      integrity:
        "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
    },
  },
  deno: {
    "linux-amd64": {
      name: "@deno/linux-x64-glibc",
      version: "2.9.6",
      integrity:
        "sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==",
    },
    "linux-arm64": {
      name: "@deno/linux-arm64-glibc",
      version: "2.9.5",
      integrity:
        "sha512-IuYjsz9PGl7CJcNXMuN27KNDB8Q40brK3SG3l+TXMDVW61ZKwcn0fQHBHnXFiiygEwI8by/fKnASEluhZB1atw==",
    },
    "darwin-amd64": {
      name: "@deno/darwin-x64",
      version: "2.9.5",
      integrity:
        "sha512-gbdlxWZuAZFiJiZtTT00Mv/aC7f/31+pyqJGQKlZr5X33WeTo5B0GG+efcX3P1UZceRKHuPEAQ1B/M2oRt8r9Q==",
    },
    "darwin-arm64": {
      name: "@deno/darwin-arm64",
      version: "2.9.5",
      integrity:
        "sha512-SX98qSdBT1lw9x6NwGwx2xIayl1kRimdRnFohYlJ6nt3mLKzTKHHKQwQs5D2pEY7mbUGGbYe9brM2kfN75pPkg==",
    },
  },
};

/** Where the program lies in its package. */
const PROGRAMS: Readonly<Record<RuntimeName, string>> = { bun: "bin/bun", deno: "deno" };

const CACHE = join(ROOT, ".skerry", "tools");
/** 100 MB come in two seconds from a near registry; a test run does not wait much longer for what it can do without. */
const FETCH_MS = 40_000;

/** The pinned program of the cache; null when it was never fetched, or none is published for the platform. */
export const findRuntime = (
  runtime: RuntimeName,
  { tools, cacheDir = CACHE }: Pick<AcquireRuntimeOptions, "tools" | "cacheDir">,
): RuntimeProgram | null => {
  const pinned = PACKAGES[runtime][tools.platform];
  if (!pinned) return null;
  const home = join(cacheDir, `${runtime}-${pinned.version}`);
  const path = join(home, "node_modules", pinned.name, PROGRAMS[runtime]);
  return existsSync(path) ? { version: pinned.version, path } : null;
};

/** The pinned program, fetched at most once; the refusal says why it cannot be had. */
export const acquireRuntime = async (
  runtime: RuntimeName,
  options: AcquireRuntimeOptions,
): Promise<Result<RuntimeProgram, string>> => {
  const { tools, say = sayOnTerminal } = options;
  const pinned = PACKAGES[runtime][tools.platform];
  if (!pinned) return err(`none is packaged for "${tools.platform}"`);
  const found = findRuntime(runtime, options);
  if (found) return ok(found);
  return step(
    `Fetching ${runtime} ${pinned.version} from npm`,
    () => fetchRuntime(runtime, pinned, options),
    say,
  );
};

/** Installs into a folder of its own and moves it to its place when the program runs: others never see a half-done one. */
const fetchRuntime = async (
  runtime: RuntimeName,
  pinned: RuntimePackage,
  { tools, cacheDir = CACHE }: AcquireRuntimeOptions,
): Promise<Result<RuntimeProgram, string>> => {
  const inside = join("node_modules", pinned.name, PROGRAMS[runtime]);
  const home = join(cacheDir, `${runtime}-${pinned.version}`);
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "new-"));
  try {
    await writeManifests(folder, pinned);
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    const installed = await tools.run("npm", args, { cwd: folder, timeoutMs: FETCH_MS });
    if (!installed.ok) return installed;
    const said = await tools.run(join(folder, inside), ["--version"], { timeoutMs: 5_000 });
    const version = said.ok ? versionIn(said.value) : null;
    if (version !== pinned.version) return err(`it says "${version}", expected "${pinned.version}"`);
    await rename(folder, home).catch(() => {
      // Another run was faster: what stands there was checked in the same way.
    });
    return ok({ version, path: join(home, inside) });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** npm checks the integrity that a lock file names. */
const writeManifests = async (
  folder: string,
  { name, version, integrity }: RuntimePackage,
): Promise<void> => {
  const dependencies = { [name]: version };
  const lock = {
    name: "skerry-runtime",
    lockfileVersion: 3,
    packages: {
      "": { name: "skerry-runtime", dependencies },
      [`node_modules/${name}`]: { version, integrity },
    },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "skerry-runtime", dependencies }));
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
};
