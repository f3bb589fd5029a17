/** Holds that one system at a time works in a data folder, and what a crashed one leaves is taken over. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataFolder } from "./data-folder.ts";
import { ownerMark } from "./owned-processes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-data-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that looks like a running start: the name of its script is what tells. */
const runningStart = async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "main.ts"], {
    stdio: "ignore",
    env: { ...process.env, ...ownerMark(folder) },
  });
  await once(child, "spawn");
  return child;
};

test("a second system on the folder is refused with the process that holds it", async () => {
  const holder = await runningStart();
  try {
    writeFileSync(join(folder, "running.pid"), String(holder.pid));
    await expect(openDataFolder(folder, { fresh: true })).rejects.toThrow(
      `cannot use the data folder "${folder}": Skerry already runs on it (process ${holder.pid})`,
    );
  } finally {
    holder.kill("SIGKILL");
  }
});

test("the mark of a process that is gone is taken over, and what it left running is ended", async () => {
  const leftover = await runningStart();
  const ended = once(leftover, "exit");
  writeFileSync(join(folder, "running.pid"), "999999999");
  const data = await openDataFolder(folder, { fresh: false });
  expect(data.leftovers).toBe(1);
  expect((await ended)[1]).toBe("SIGKILL");
});

test("a number that another program has by now does not hold the folder", async () => {
  writeFileSync(join(folder, "running.pid"), "1");
  await expect(openDataFolder(folder, { fresh: false })).resolves.toMatchObject({ path: folder });
});

test("releasing lets the next one in", async () => {
  (await openDataFolder(folder, { fresh: false })).release();
  expect(existsSync(join(folder, "running.pid"))).toBe(false);
});

test("fresh empties the folder, and only then", async () => {
  mkdirSync(join(folder, "nats"));
  (await openDataFolder(folder, { fresh: false })).release();
  expect(existsSync(join(folder, "nats"))).toBe(true);
  (await openDataFolder(folder, { fresh: true })).release();
  expect(existsSync(join(folder, "nats"))).toBe(false);
});

test("a path that is no folder is refused by name", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  await expect(openDataFolder(file, { fresh: false })).rejects.toThrow(
    `cannot use the data folder "${file}" (EEXIST): expected a folder that can be read and written`,
  );
});
