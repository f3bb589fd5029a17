/** Holds by which credentials real servers let in, over which ways, and what is refused before anything secret is sent. */
import { nkeys } from "@nats-io/nats-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "#cli/ports.ts";
import { natsPrograms, startNats, type TestNats } from "#test/setup/nats.ts";
import { type TestCertificates, testCertificates } from "#test/setup/nats-certificates.ts";
import { testCredentials } from "#test/setup/nats-credentials.ts";
import { applyStreams } from "./apply-streams.ts";
import { type NatsAccess, openConnection } from "./open-connection.ts";
import { serverConfigText } from "./server-config.ts";

describe.each(await natsPrograms())("NATS $version", (program) => {
  let nats: TestNats | undefined;
  let certificates: TestCertificates;
  beforeAll(async () => {
    certificates = await testCertificates();
  });
  afterAll(() => certificates?.remove());
  afterEach(() => nats?.dispose());

  const start = async (settings: string): Promise<TestNats> => {
    nats = await startNats(program, { settings });
    return nats;
  };
  const startTls = () => {
    const { certFile, keyFile } = certificates;
    const authorization = { user: "shop", password: "s3cret" };
    return start(serverConfigText({ tls: { cert_file: certFile, key_file: keyFile }, authorization }));
  };
  const asked = async (access: NatsAccess): Promise<string> => {
    const connection = await openConnection({ ...access, reconnect: false, timeout: 5_000 });
    try {
      return (await connection.request("$JS.API.INFO", "", { timeout: 2_000 })).string();
    } finally {
      await connection.close();
    }
  };

  test("lets in by an nkey seed, and by no other", async () => {
    const [ours, other] = [nkeys.createUser(), nkeys.createUser()];
    const { url } = await start(
      serverConfigText({ authorization: { users: [{ nkey: ours.getPublicKey() }] } }),
    );
    const seedOf = (pair: typeof ours) => new TextDecoder().decode(pair.getSeed());
    expect(await asked({ servers: url, creds: ` ${seedOf(ours)}\n` })).toContain("account_info");
    await expect(asked({ servers: url, creds: seedOf(other) })).rejects.toThrow("Authorization Violation");
  });

  test("lets in by the content of a .creds file, whatever ended its lines", async () => {
    const { creds, settings } = testCredentials();
    const { url } = await start(settings);
    expect(await asked({ servers: url, creds })).toContain("account_info");
    expect(await asked({ servers: url, creds: creds.trim().replaceAll("\n", "\r\n") })).toContain(
      "account_info",
    );
    expect(await applyStreams({ natsUrl: url, creds })).toHaveLength(4);
    await expect(asked({ servers: url, creds: testCredentials().creds })).rejects.toThrow(
      "Authorization Violation",
    );
    await expect(asked({ servers: url })).rejects.toThrow("Authorization Violation");
  });

  test("is believed when its certificate is of the given authority, and of no other", async () => {
    const { port } = await startTls();
    const { ca } = certificates;
    for (const scheme of ["tls", "nats"])
      for (const host of ["localhost", "127.0.0.1"])
        expect(await asked({ servers: `${scheme}://shop:s3cret@${host}:${port}`, ca })).toContain(
          "account_info",
        );
    await expect(asked({ servers: `tls://shop:s3cret@localhost:${port}` })).rejects.toThrow(/certificate/);
    const other = await testCertificates();
    await expect(asked({ servers: `tls://shop:s3cret@localhost:${port}`, ca: other.ca })).rejects.toThrow(
      /certificate/,
    );
    await other.remove();
  });

  test("gets no password when it has no TLS where the address asks for it", async () => {
    const { port } = await start("");
    const refusal = "server does not support 'tls'";
    await expect(asked({ servers: `tls://shop:s3cret@127.0.0.1:${port}` })).rejects.toThrow(refusal);
    await expect(
      asked({ servers: `nats://shop:s3cret@127.0.0.1:${port}`, ca: certificates.ca }),
    ).rejects.toThrow(refusal);
  });

  test("is found behind any of several addresses", async () => {
    const { url } = await start("");
    const gone = `nats://127.0.0.1:${await freePort()}`;
    expect(await asked({ servers: `${gone},${url}` })).toContain("account_info");
  });
});
