/** Holds what the archive commands do with a real server and real files, and what they end with. */
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ArchiveManifest } from "#nats/archive-manifest.ts";
import { logStreamConfig } from "#nats/streams.ts";
import { startNats, type TestNats } from "#test/setup/nats.ts";
import { runCommand } from "#test/setup/run-command.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";

let source: TestNats;
let target: TestNats;
let folder: TemporaryFolder;
beforeAll(async () => {
  [source, target, folder] = [await startNats(), await startNats(), await temporaryFolder("archive-cli")];
  const connection = await connect({ servers: source.url });
  await (await jetstreamManager(connection)).streams.add(logStreamConfig("orders"));
  for (let n = 0; n < 25; n++) await connection.request(`log.orders.order.o${n}`, `[${n}]`);
  await connection.close();
});
afterAll(async () => {
  await Promise.all([source?.dispose(), target?.dispose(), folder?.remove()]);
});

const run = (args: string, env: Record<string, string> = { NATS_URL: source.url }) =>
  runCommand(["archive", ...args.split(" ")], { env, cwd: folder.path });

test("a log goes into files, is verified without a server, and comes back", async () => {
  const exported = await run("export orders --to 20 --out one --json");
  expect(exported).toMatchObject({ code: 0, err: "" });
  const { chain, commits } = JSON.parse(exported.out) as ArchiveManifest;
  expect(commits).toBe(20);
  expect(await run("verify one", {})).toEqual({
    code: 0,
    out: `orders 1 to 20, chain ${chain}: as it was written\n`,
    err: "",
  });
  expect(await run(`verify one --chain ${chain}`, {})).toMatchObject({ code: 0 });
  expect((await run("verify one --chain 00", {})).err).toContain(`its chain is ${chain}, expected 00`);
  const restored = await run(`restore one --into ${target.url}`, {});
  expect(restored).toMatchObject({ code: 0, out: `orders 1 to 20, chain ${chain}: restored\n` });
  expect((await run(`restore one --into ${target.url}`, {})).out).toContain("restored, 20 of them before");
});

test("what cannot be is told in one line, without an address's password", async () => {
  const refused = async (args: string, env?: Record<string, string>) => {
    const { code, out, err } = await run(args, env);
    expect(out).toBe("");
    expect(err.trimEnd()).not.toContain("\n");
    return [code, err];
  };
  expect(await refused("export orders --out two", {})).toEqual([
    2,
    expect.stringContaining("NATS_URL is not set"),
  ]);
  expect(await refused("export orders --out two --to 26")).toEqual([
    1,
    expect.stringContaining("no position 26: expected 1 to 25"),
  ]);
  expect(await refused("verify nothing")).toEqual([1, expect.stringContaining("has no manifest.json")]);
  const [code, err] = await refused("export orders --out two", { NATS_URL: "nats://a:secret@127.0.0.1:1" });
  expect(code).toBe(6);
  expect(err).not.toContain("secret");
  await run("export orders --out broken");
  await truncate(join(folder.path, "broken", "part-00001.jsonl.gz"), 300);
  expect(await refused("verify broken")).toEqual([1, expect.stringMatching(/position \d+ in "part-00001/)]);
});
