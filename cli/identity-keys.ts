/** The key pair of a local gateway's identities: made once for a data folder, and kept there for its owner only. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type IdentityJwk,
  type PublicJwks,
  publicJwks,
  readPrivateKeys,
} from "#shared/identity/identity-keys.ts";
import { CliFailure } from "./failure.ts";

export interface IdentityKeys {
  /** The gateway's alone; the first one signs. */
  readonly privateJwks: readonly [IdentityJwk, ...IdentityJwk[]];
  /** For everybody who verifies. */
  readonly publicJwks: PublicJwks;
}

/** Long enough to tell a platform's keys apart, short because every token says it. */
const KID_CHARACTERS = 12;

/** Where a data folder keeps them, as `{"keys": [...]}`: the first one signs. */
export const identityKeysFile = (dataDir: string): string => join(dataDir, "identity.json");

/**
 * Reads the keys, or makes a pair. Two that do so at once get the same: the file is put in place whole, by the first.
 * @throws CliFailure when a file stands there that cannot be read; it is kept
 */
export const identityKeys = (dataDir: string): IdentityKeys => {
  const kept = readKept(dataDir);
  if (kept) return kept;
  const made = newIdentityKey();
  const file = identityKeysFile(dataDir);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify({ keys: [made] }, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(own, file);
    return withPublic([made]);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    return readKept(dataDir) ?? withPublic([made]);
  } finally {
    rmSync(own, { force: true });
  }
};

const readKept = (dataDir: string): IdentityKeys | undefined => {
  const file = identityKeysFile(dataDir);
  try {
    return withPublic(readPrivateKeys(readFileSync(file, "utf8")));
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw new CliFailure(`cannot read the identity keys from "${file}": ${(error as Error).message}`);
  }
};

const withPublic = (keys: readonly [IdentityJwk, ...IdentityJwk[]]): IdentityKeys => ({
  privateJwks: keys,
  publicJwks: publicJwks(keys),
});

/** Named by its thumbprint (RFC 7638): the same key has the same name everywhere. */
export const newIdentityKey = (): IdentityJwk => {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x }));
  return { kty: "OKP", crv: "Ed25519", kid: thumbprint.digest("base64url").slice(0, KID_CHARACTERS), x, d };
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
