/** Holds that the configuration of a server is what each real server takes, and what it says. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { natsPrograms } from "#test/setup/nats.ts";
import { testCertificates } from "#test/setup/nats-certificates.ts";
import { temporaryFolder } from "#test/setup/temporary-folder.ts";
import { allPermissions } from "./permissions.ts";
import { natsServerConfig, passwordVariable, serverConfigText } from "./server-config.ts";

const HOSTS = ["nats-1", "nats-2", "nats-3"];
const ONE = {
  hosts: ["nats-1"],
  host: "nats-1",
  storeDir: "/data/jetstream",
  durability: "interval",
} as const;

const programs = await natsPrograms();
const passwords = Object.fromEntries(
  [...allPermissions().map(({ user }) => user), "system"].map((user) => [passwordVariable(user), "s3cret"]),
);

describe("a server's configuration", () => {
  test("names its durability, which a server before 2.10 has no setting for", () => {
    const always = natsServerConfig({ ...ONE, durability: "always" });
    expect(always.jetstream).toEqual({ store_dir: "/data/jetstream", sync_interval: "always" });
    expect(natsServerConfig(ONE).jetstream).toMatchObject({ sync_interval: "2m" });
    expect(natsServerConfig({ ...ONE, before210: true }).jetstream).toEqual({ store_dir: "/data/jetstream" });
    expect(() => natsServerConfig({ ...ONE, durability: "always", before210: true })).toThrow("before 2.10");
  });

  test("of one of three has the routes to the others", () => {
    expect(natsServerConfig({ ...ONE, hosts: HOSTS, host: "nats-2" }).cluster).toMatchObject({
      name: "skerry",
      routes: ["nats-route://nats-1:6222", "nats-route://nats-3:6222"],
    });
    expect(natsServerConfig(ONE).cluster).toBeUndefined();
  });

  test("of a host that is none of the cluster's is refused", () => {
    expect(() => natsServerConfig({ ...ONE, host: "other" })).toThrow('the server "other"');
  });

  test("holds no password, and gives whoever may publish nothing no empty list, which would allow all", () => {
    const text = serverConfigText(natsServerConfig({ ...ONE, users: allPermissions() }));
    expect(
      text.match(/password: .*/g)?.every((line) => /^password: \$NATS_PASSWORD_[A-Z_]+$/.test(line)),
    ).toBe(true);
    expect(text).not.toMatch(/allow: \[\s*\]/);
    expect(text).toContain("publish: {\n");
  });

  test("quotes what the server would read as something else", () => {
    expect(serverConfigText({ a: 'C:\\x "y"', b: [], c: { d: [1, true] } })).toBe(
      'a: "C:\\\\x \\"y\\""\nb: [\n]\nc: {\n  d: [\n    1\n    true\n  ]\n}\n',
    );
  });

  test.each(programs)(
    "is taken by NATS $version, with users, TLS, a cluster and WebSockets",
    async (program) => {
      const folder = await temporaryFolder("conf");
      const before210 = program.version.startsWith("2.9.");
      const certificates = await testCertificates();
      const settings = natsServerConfig({
        ...ONE,
        hosts: HOSTS,
        durability: before210 ? "interval" : "always",
        before210,
        tls: { cert: certificates.certFile, key: certificates.keyFile, ca: certificates.caFile },
        webSocket: true,
        users: allPermissions(),
      });
      const file = join(folder.path, "nats.conf");
      await writeFile(file, serverConfigText(settings));
      const checked = await promisify(execFile)(program.path, ["-t", "-c", file], {
        env: { ...process.env, ...passwords },
      });
      expect(checked.stderr).toContain("configuration file");
      await certificates.remove();
      await folder.remove();
    },
  );
});
