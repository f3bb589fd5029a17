/** Holds that the completion scripts complete, each in its own shell where that is installed. */
import { execFile, spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeControl, fakeControl } from "#test/setup/fake-control.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { ROOT } from "../workers.ts";
import { COMPLETION_SCRIPTS } from "./completion-scripts.ts";

const execute = promisify(execFile);
const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

let control: FakeControl;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder("completion");
  control = await fakeControl({
    "GET /documents": {
      body: {
        items: [
          { service: "orders", profile: "default" },
          { service: "orders", profile: "production" },
        ],
      },
    },
    "GET /registry": { body: { items: [{ service: "reviews", instances: [] }] } },
  });
  const bin = join(folder.path, "bin");
  await mkdir(bin);
  const program = `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, "cli/main.ts")}" "$@"\n`;
  await writeFile(join(bin, "skerry"), program);
  await writeFile(join(bin, "npx"), `#!/bin/sh\nshift\nexec skerry "$@"\n`);
  for (const name of ["skerry", "npx"]) await chmod(join(bin, name), 0o755);
});
afterAll(async () => {
  await control?.close();
  await folder?.remove();
});

/** What bash offers for a line whose last word is being typed. */
const completed = async (line: readonly string[], url = control.url): Promise<string[]> => {
  const function_ = line[0] === "npx" ? "_skerry_npx" : "_skerry";
  const script = [
    COMPLETION_SCRIPTS.bash,
    `COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${line.length - 1}`,
    function_,
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  const env = {
    ...process.env,
    PATH: `${join(folder.path, "bin")}${delimiter}${process.env.PATH}`,
    SKERRY_URL: url,
    SKERRY_DATA_DIR: folder.path,
  };
  const { stdout, stderr } = await execute("bash", ["--norc", "-c", script], { env });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
};

const inBash = has("bash");
if (!inBash) console.warn("bash is not installed: its completion is NOT tested");

describe.skipIf(!inBash)("in bash", () => {
  test("commands and their commands are completed, behind npx too", async () => {
    expect(await completed(["skerry", "con"])).toEqual(["config"]);
    expect(await completed(["npx", "skerry", "config", "e"])).toEqual(["effective", "export"]);
    expect(await completed(["npx", "skerry", "secret", ""])).toEqual(["rotate"]);
    expect(await completed(["skerry", "rollout", ""])).toEqual(["list", "set", "abort"]);
    expect(await completed(["skerry", ""])).toEqual(
      expect.arrayContaining(["start", "registry", "secret", "completion"]),
    );
  });

  test("options are completed once a dash is typed", async () => {
    expect(await completed(["skerry", "config", "set", "orders", "--r"])).toEqual(["--reason", "--rollout"]);
  });

  test("services and profiles are those that the running system knows", async () => {
    expect(await completed(["skerry", "config", "get", ""])).toEqual(["orders", "reviews"]);
    expect(await completed(["skerry", "config", "get", "orders", "--profile", "p"])).toEqual(["production"]);
    expect(await completed(["skerry", "config", "get", "-p", "default", "o"])).toEqual(["orders"]);
    expect(await completed(["skerry", "config", "get", "orders", ""])).toEqual([]);
    expect(await completed(["skerry", "rollout", "abort", "o"])).toEqual(["orders"]);
    expect(await completed(["skerry", "rollout", "set", "--profile", ""])).toEqual(["default", "production"]);
  });

  test("a system that does not run leaves the line as it is", async () => {
    expect(await completed(["skerry", "config", "get", ""], "http://127.0.0.1:9")).toEqual([]);
  });
});

for (const shell of ["bash", "zsh", "fish"]) {
  const there = has(shell);
  if (!there) console.warn(`${shell} is not installed: the form of its completion script is NOT tested`);
  test.skipIf(!there)(`the script for ${shell} is well formed`, async () => {
    const file = join(folder.path, `script.${shell}`);
    await writeFile(file, COMPLETION_SCRIPTS[shell] ?? "");
    await expect(execute(shell, ["-n", file])).resolves.toEqual({ stdout: "", stderr: "" });
  });
}
