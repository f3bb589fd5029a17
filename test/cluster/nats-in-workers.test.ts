/** Holds how the Workers runtime reaches NATS: by which credentials, by which kinds of TLS, and what it cannot do. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import { freePort } from "#cli/ports.ts";
import type { NatsAccess } from "#nats/open-connection.ts";
import { serverConfigText } from "#nats/server-config.ts";
import { isServerFrom } from "#nats/server-version.ts";
import { newestNats, startNats, type TestNats } from "../setup/nats.ts";
import { type TestCertificates, testCertificates } from "../setup/nats-certificates.ts";
import { testCredentials } from "../setup/nats-credentials.ts";

const { version } = await newestNats();

const entry = new URL("workers/access-probe.ts", import.meta.url).pathname;

let certificates: TestCertificates;
let runtime: { url: URL; dispose(): Promise<void> };
let nats: TestNats | undefined;

beforeAll(async () => {
  certificates = await testCertificates();
  // Read when the module is loaded: what the runtime on this machine trusts beside the system's authorities.
  vi.stubEnv("NODE_EXTRA_CA_CERTS", certificates.caFile);
  const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
  const bundler = await createBundler({ probe: entry });
  const { probe: contents = "" } = await bundler.build();
  await bundler.close();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [
        {
          name: "probe",
          modules: [{ type: "ESModule", path: "probe.mjs", contents }],
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
        },
      ],
    }),
  );
  runtime = { url: await miniflare.ready, dispose: () => miniflare.dispose() };
});
afterAll(async () => {
  await runtime?.dispose();
  await certificates?.remove();
  vi.unstubAllEnvs();
});
afterEach(() => nats?.dispose());

const start = async (settings: string): Promise<TestNats> => {
  nats = await startNats(undefined, { settings });
  return nats;
};

const asked = async (access: NatsAccess): Promise<string> =>
  (await fetch(runtime.url, { method: "POST", body: JSON.stringify(access) })).text();

const authorization = { user: "shop", password: "s3cret" };
const certificate = () => ({ cert_file: certificates.certFile, key_file: certificates.keyFile });

describe("a worker is let in", () => {
  test("by a password and by the content of a .creds file", async () => {
    const { port } = await start(serverConfigText({ authorization }));
    expect(await asked({ servers: `nats://shop:s3cret@127.0.0.1:${port}` })).toContain("account_info");
    expect(await asked({ servers: `nats://shop:other@127.0.0.1:${port}` })).toContain(
      "Authorization Violation",
    );
    await nats?.dispose();
    const { creds, settings } = testCredentials();
    expect(await asked({ servers: (await start(settings)).url, creds })).toContain("account_info");
  });

  // Servers before 2.10.4 know TLS after their greeting alone.
  test.skipIf(!isServerFrom(version, [2, 11]))(
    "over TLS where the server takes it from the first byte, by a host's name too",
    async () => {
      const { port } = await start(
        serverConfigText({ tls: { ...certificate(), handshake_first: "auto" }, authorization }),
      );
      expect(await asked({ servers: `tls://shop:s3cret@127.0.0.1:${port}` })).toContain("account_info");
      expect(await asked({ servers: `tls://shop:s3cret@localhost:${port}` })).toContain("account_info");
    },
  );

  test("over a WebSocket with TLS", async () => {
    const port = await freePort();
    await start(serverConfigText({ websocket: { port, tls: certificate() }, authorization }));
    expect(await asked({ servers: `wss://shop:s3cret@localhost:${port}` })).toContain("account_info");
  });
});

describe("a worker is not let in", () => {
  test("where TLS begins after the server's greeting: the runtime cannot do that", async () => {
    const { port } = await start(serverConfigText({ tls: certificate(), authorization }));
    expect(await asked({ servers: `nats://shop:s3cret@127.0.0.1:${port}` })).toContain("error");
  });

  test("by a CA of its own, which is said instead of left out", async () => {
    const said = await asked({ servers: "tls://127.0.0.1:4222", ca: certificates.ca });
    expect(said).toContain("Cannot use a CA");
  });

  test("and sends no password, where there is no TLS and the address asks for it", async () => {
    const { port } = await start(serverConfigText({ authorization }));
    expect(await asked({ servers: `tls://shop:s3cret@127.0.0.1:${port}` })).toContain("error");
  });
});
