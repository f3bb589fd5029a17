/** Holds that a data folder has one key pair, readable by its owner only, and that a broken file is never replaced. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPrivateKeys, readPublicKeys } from "#shared/identity/identity-keys.ts";
import { identityMinter } from "#shared/identity/identity-minter.ts";
import { identityVerifier } from "#shared/identity/identity-verifier.ts";
import { givenKeySet } from "#shared/identity/key-set-source.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { identityKeys, identityKeysFile } from "./identity-keys.ts";

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder("identity");
});
afterEach(() => folder.remove());

test("the first start makes a pair in a file that only its owner reads, named by its thumbprint", async () => {
  const {
    privateJwks: [privateJwk],
    publicJwks,
  } = identityKeys(folder.path);
  expect(privateJwk.kid).toBe((await calculateJwkThumbprint(privateJwk)).slice(0, 12));
  expect(publicJwks.keys).toEqual([
    { kty: "OKP", crv: "Ed25519", kid: privateJwk.kid, x: privateJwk.x, use: "sig", alg: "EdDSA" },
  ]);
  expect(statSync(identityKeysFile(folder.path)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder.path)).toEqual(["identity.json"]);
});

test("what the one half signs the other verifies, both as they are told to workers", async () => {
  const {
    privateJwks: [privateJwk],
    publicJwks,
  } = identityKeys(folder.path);
  const clock = () => 1_000_000;
  const keys = readPrivateKeys(JSON.stringify({ keys: [privateJwk] }));
  const token = await identityMinter({ keys, clock }).mint({ subject: "me", scopes: [], by: "jwt" });
  const given = givenKeySet(readPublicKeys(JSON.stringify(publicJwks)));
  const verified = await identityVerifier({ keys: given, audience: "orders", clock }).verify(token);
  expect(verified).toEqual({ ok: true, value: { subject: "me", scopes: [], by: "jwt" } });
});

test("every later start has the same, and another folder has another", () => {
  const other = join(folder.path, "other");
  mkdirSync(other);
  const first = identityKeys(folder.path);
  expect(identityKeys(folder.path)).toEqual(first);
  expect(identityKeys(other).privateJwks[0].x).not.toBe(first.privateJwks[0].x);
});

test("a key that was added to the file is shown, and the first one signs", () => {
  const [old] = identityKeys(folder.path).privateJwks;
  const next = { ...old, kid: "next" };
  writeFileSync(identityKeysFile(folder.path), JSON.stringify({ keys: [next, old] }));
  const {
    privateJwks: [privateJwk],
    publicJwks,
  } = identityKeys(folder.path);
  expect(privateJwk.kid).toBe("next");
  expect(publicJwks.keys.map(({ kid }) => kid)).toEqual(["next", old.kid]);
});

test.each(["", "{", "[]", '{"keys": []}', '{"keys": [{"kty": "OKP", "d": "sesame"}]}'])(
  "a file that holds %j is refused and kept, and not shown",
  (text) => {
    const file = identityKeysFile(folder.path);
    writeFileSync(file, text);
    const reading = () => identityKeys(folder.path);
    expect(reading).toThrow(
      `cannot read the identity keys from "${file}": Reading the private identity keys`,
    );
    expect(reading).not.toThrow("sesame");
    expect(readFileSync(file, "utf8")).toBe(text);
  },
);
