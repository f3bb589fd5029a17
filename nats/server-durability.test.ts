/** Holds that the durability that was configured is the one that the server says it runs with. */
import { describe, expect, test } from "vitest";
import { freePort } from "#cli/ports.ts";
import { natsPrograms, startNats } from "#test/setup/nats.ts";
import { readDurability } from "./server-durability.ts";

describe.each(await natsPrograms())("NATS $version", (program) => {
  const read = async (jetstream: string) => {
    const port = await freePort();
    const settings = `http: "127.0.0.1:${port}"\njetstream { ${jetstream} }`;
    const nats = await startNats(program, { settings });
    try {
      return await readDurability(`http://127.0.0.1:${port}/`);
    } finally {
      await nats.dispose();
    }
  };

  test("says what it does when nothing is configured: up to two minutes", async () => {
    expect(await read("")).toEqual({ durability: "interval", upToMs: 120_000 });
  });

  test.skipIf(program.version.startsWith("2.9."))("says what was configured", async () => {
    expect(await read("sync_interval: always")).toEqual({ durability: "always", upToMs: 0 });
    expect(await read('sync_interval: "5s"')).toEqual({ durability: "interval", upToMs: 5_000 });
  });
});

test("who is no NATS server, or does not answer, is named", async () => {
  const page = async () => Response.json({ hello: 1 });
  await expect(readDurability("http://x", page as typeof fetch)).rejects.toThrow('"http://x/jsz?config=1"');
  await expect(readDurability(`http://127.0.0.1:${await freePort()}`)).rejects.toThrow("Cannot read");
});
