/** Holds how Bun and Deno come into the cache, with an npm that only exists here. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { err, ok, type Result } from "#shared/result.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { acquireRuntime, findRuntime } from "./acquire-runtimes.ts";
import type { Tools } from "./tools.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder("runtimes");
});
afterEach(() => folder.remove());

interface Npm {
  readonly installed?: string[];
  /** What the program says of itself. */
  readonly says?: string;
  readonly refusal?: string;
  readonly platform?: string;
}

/** npm puts the package that the lock file names, whose program says so. */
const tools = ({ installed = [], says = "1.4.5", refusal, platform = "linux-amd64" }: Npm): Tools => ({
  platform,
  isRoot: false,
  which: () => null,
  download: async () => err("nothing is downloaded"),
  run: async (program, args, { cwd = "" }): Promise<Result<string, string>> => {
    if (args[0] === "--version") return ok(says);
    if (refusal) return err(refusal);
    const lock = JSON.parse(readFileSync(join(cwd, "package-lock.json"), "utf8"));
    const name = Object.keys(lock.packages[""].dependencies)[0] ?? "";
    installed.push(`${program} ${args[0]} ${name} ${lock.packages[`node_modules/${name}`].integrity}`);
    const binary = join(cwd, "node_modules", name, "bin", "bun");
    mkdirSync(dirname(binary), { recursive: true });
    writeFileSync(binary, "");
    return ok("");
  },
});

const acquire = (npm: Npm) =>
  acquireRuntime("bun", { tools: tools(npm), cacheDir: folder.path, say: () => {} });

test("a runtime is fetched once, by its pinned integrity", async () => {
  const installed: string[] = [];
  const first = await acquire({ installed });
  expect(first).toMatchObject({ ok: true, value: { version: "1.4.5" } });
  expect(await acquire({ installed })).toEqual(first);
  expect(installed).toEqual([expect.stringMatching(/^npm ci @oven\/bun-linux-x64 sha512-.{86}==$/)]);
  expect(first.ok && findRuntime("bun", { tools: tools({}), cacheDir: folder.path })).toEqual(
    first.ok && first.value,
  );
});

test.each([
  ["npm's own words", { refusal: "network timeout" }, "network timeout"],
  ["what it says of itself", { says: "Illegal instruction" }, 'it says "null", expected "1.4.5"'],
  ["the platform", { platform: "sunos-sparc" }, 'none is packaged for "sunos-sparc"'],
])("one that cannot be had is refused with %s, and nothing half-done stays", async (_, npm, reason) => {
  expect(await acquire(npm)).toEqual({ ok: false, error: reason });
  expect(readdirSync(folder.path)).toEqual([]);
  expect(findRuntime("bun", { tools: tools(npm), cacheDir: folder.path })).toBeNull();
});
