/** Signed credentials for tests: an operator, its account, a user of that account, as the server and the client want them. */
import { createHash } from "node:crypto";
import { nkeys } from "@nats-io/nats-core";
import { type ServerSettings, serverConfigText } from "#nats/server-config.ts";

export interface TestCredentials {
  /** The content of the user's `.creds` file. */
  readonly creds: string;
  /** What the server needs to believe them. */
  readonly settings: string;
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString("base64url");

const signed = (issuer: KeyPair, subject: KeyPair, nats: object): string => {
  const claims = {
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    nats,
  };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex");
  const head = base64url(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const text = `${head}.${base64url(JSON.stringify({ jti, ...claims }))}`;
  return `${text}.${base64url(issuer.sign(new TextEncoder().encode(text)))}`;
};

const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT_LIMITS = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const STORAGE = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/** The user may do everything in its account. */
export const testCredentials = (): TestCredentials => {
  const [operator, account, system, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const accountJwt = (key: KeyPair, limits: object) =>
    signed(operator, key, { limits: { ...ACCOUNT_LIMITS, ...limits }, type: "account", version: 2 });
  const userJwt = signed(account, user, { ...UNLIMITED, type: "user", version: 2 });
  const settings: ServerSettings = {
    operator: signed(operator, operator, { type: "operator", version: 2 }),
    resolver: "MEMORY",
    system_account: system.getPublicKey(),
    resolver_preload: {
      [account.getPublicKey()]: accountJwt(account, STORAGE),
      [system.getPublicKey()]: accountJwt(system, {}),
    },
  };
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    creds: [
      "-----BEGIN NATS USER JWT-----",
      userJwt,
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n"),
    settings: serverConfigText(settings),
  };
};
