/** Holds what the NATS commands print, change and end with, against a real server. */

import type { StreamConfig } from "@nats-io/jetstream";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNats, type TestNats } from "#test/setup/nats.ts";
import { runCommand } from "#test/setup/run-command.ts";
import { freePort } from "../ports.ts";

let nats: TestNats;
let monitorUrl: string;
beforeAll(async () => {
  const port = await freePort();
  monitorUrl = `http://127.0.0.1:${port}`;
  nats = await startNats(undefined, { settings: `http: "127.0.0.1:${port}"` });
});
afterAll(() => nats?.dispose());

const run = (args: string, { input = "", ...env }: Record<string, string> = {}) =>
  runCommand(["nats", ...args.split(" ")], { env: { NATS_URL: nats.url, ...env }, cwd: ".", input });

const change = async (name: string, config: Partial<StreamConfig>): Promise<void> => {
  const connection = await connect({ servers: nats.url });
  await (await jetstreamManager(connection)).streams.update(name, config);
  await connection.close();
};

describe("plan and apply", () => {
  test("show what is to be created, make it after a yes alone, and find nothing to do then", async () => {
    const planned = await run("plan", { NATS_MONITOR_URL: monitorUrl });
    expect(planned).toMatchObject({ code: 0, err: "" });
    expect(planned.out).toMatch(/^NATS [\d.]+, alone; durability interval: on disk up to 120 s after/);
    expect(planned.out).toContain("create   log-orders\n");
    expect(planned.out).toContain("4 to create, 0 to change, 0 refused, 0 as declared\n");
    expect(await run("plan --detailed-exitcode")).toMatchObject({ code: 7 });

    const declined = await run("apply", { input: "y\n" });
    expect(declined).toMatchObject({ code: 1 });
    expect(declined.err).toContain("nothing was changed");
    expect(await run("plan --detailed-exitcode")).toMatchObject({ code: 7 });

    expect((await run("apply", { input: "yes\n" })).out).toMatch(/4 to create.*\ndone\n$/);
    expect(await run("plan --detailed-exitcode")).toMatchObject({ code: 0, err: "" });
    expect(await run("apply --yes")).toMatchObject({ code: 0 });
  });

  test("say a changed setting from what to what, as one JSON document too", async () => {
    await change("log-orders", { max_age: 3_600_000_000_000 });
    expect((await run("plan")).out).toContain("change   log-orders\n           max_age: 3600000000000 → 0\n");
    const { out } = await run("apply --yes --json");
    expect(JSON.parse(out)).toMatchObject({
      streams: [
        { stream: "log-orders", does: "change", changes: [{ setting: "max_age", to: 0 }] },
        {},
        {},
        {},
      ],
    });
    expect((await run("plan --detailed-exitcode")).code).toBe(0);
  });

  test("refuse with an exit code of their own, and change nothing then", async () => {
    const refused = await run("apply --yes", { NATS_REPLICAS: "3" });
    expect(refused).toMatchObject({
      code: 5,
      err: "skerry: refused: log-orders, log-inventory, log-payments, snap-inventory\n",
    });
    expect(refused.out).toContain("num_replicas: 1 → 3; refused: the server is alone");
    expect((await run("plan --replicas 1 --detailed-exitcode")).code).toBe(0);
  });

  test.each([
    ["plan --replicas 0", {}, 2, 'cannot use --replicas "0"'],
    ["plan", { NATS_REPLICAS: "many" }, 2, 'cannot use NATS_REPLICAS "many"'],
    ["plan", { NATS_URL: "" }, 2, "NATS_URL is not set"],
    ["plan", { NATS_URL: "nats://shop:s3cret@127.0.0.1:1" }, 6, 'the NATS server "nats://127.0.0.1:1"'],
    ["plan", { NATS_MONITOR_URL: "http://127.0.0.1:1" }, 1, "Cannot read the durability"],
    ["server-config --durability often", {}, 2, 'cannot use --durability "often"'],
    ["server-config --hosts a,b,c --host d", {}, 2, 'Cannot configure the server "d"'],
    ["server-config --tls-cert a.pem", {}, 2, "expected both"],
    ["permissions nobody", {}, 3, 'there is no user "nobody"'],
  ])("%s with %j ends with %i", async (args, env, code, message) => {
    const ran = await run(args, env as Record<string, string>);
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
    expect(ran.err).not.toContain("s3cret");
  });
});

describe("the configuration", () => {
  test("of one of three servers has its durability, its routes, its users and no password", async () => {
    const { out, code } = await run("server-config --hosts a,b,c --host b --durability always --websocket");
    expect(code).toBe(0);
    expect(out).toContain('sync_interval: "always"');
    expect(out).toContain('"nats-route://a:6222"');
    expect(out).toContain("password: $NATS_PASSWORD_ORDERS");
    expect((await run("server-config --no-users")).out).not.toContain("password");
  });

  test("of a user is what that one may do, as JSON too", async () => {
    expect((await run("permissions payments")).out).toContain('"log.payments.>"');
    const { users } = JSON.parse((await run("permissions --json")).out);
    expect(users.map(({ user }: { user: string }) => user)).toEqual([
      "orders",
      "inventory",
      "payments",
      "control",
      "process",
      "deploy",
    ]);
  });
});
