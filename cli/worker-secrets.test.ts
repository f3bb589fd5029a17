/** Holds which worker of a local system knows which secret. */
import { expect, test } from "vitest";
import { newKey, serviceKeys } from "#shared/config/sealing.ts";
import { publicJwks, readPrivateKeys, readPublicKeys } from "#shared/identity/identity-keys.ts";
import { newIdentityKey } from "./identity-keys.ts";
import { workerSecrets } from "./worker-secrets.ts";
import { CONTROL, GATEWAY, WORKERS } from "./workers.ts";

const secrets = { token: "skerry_token", keys: newKey("k1") };
const key = newIdentityKey();
const identity = { privateJwks: [key], publicJwks: publicJwks([key]) } as const;

test("the control worker alone has the token and the keys", async () => {
  const { [CONTROL]: control, ...others } = await workerSecrets(secrets, identity);
  expect(control).toEqual({
    CONTROL_ADMIN_TOKEN: secrets.token,
    CONTROL_KEYS: secrets.keys,
    REGISTRY_ALLOWED_HOSTS: "localhost:*,127.0.0.1:*",
  });
  const told = JSON.stringify(others);
  expect(told).not.toContain(secrets.token);
  expect(told).not.toContain(secrets.keys.split(":")[1]);
});

test("the gateway alone has the private identity keys, and what opens the secrets of its own configuration", async () => {
  const { [GATEWAY]: gateway, ...others } = await workerSecrets(secrets, identity);
  expect(readPrivateKeys(gateway?.IDENTITY_PRIVATE_KEYS ?? "")).toEqual([key]);
  expect(gateway?.CONFIG_KEYS).toBe(await serviceKeys(secrets.keys, "gateway"));
  expect(JSON.stringify(others)).not.toContain(key.d);
});

test("every registered service has the keys derived for it, no two the same, and verifies by the public ones", async () => {
  const told = await workerSecrets(secrets, identity);
  const registered = WORKERS.filter(({ registers }) => registers);
  expect(registered.length).toBeGreaterThanOrEqual(4);
  for (const { name, registers } of registered) {
    const { IDENTITY_KEYS = "", ...rest } = told[name] ?? {};
    const CONFIG_KEYS = await serviceKeys(secrets.keys, registers?.service ?? "");
    expect(rest).toEqual({ CONFIG_KEYS, OPERATORS: "anybody" });
    expect(readPublicKeys(IDENTITY_KEYS)).toEqual(identity.publicJwks);
  }
  expect(new Set(registered.map(({ name }) => told[name]?.CONFIG_KEYS)).size).toBe(registered.length);
});
