/** Holds which worker of a local system knows which secret. */
import { expect, test } from "vitest";
import { newKey, serviceKeys } from "#shared/config/sealing.ts";
import { workerSecrets } from "./worker-secrets.ts";
import { CONTROL, WORKERS } from "./workers.ts";

const secrets = { token: "skerry_token", keys: newKey("k1") };

test("the control worker alone has the token and the keys", async () => {
  const { [CONTROL]: control, ...others } = await workerSecrets(secrets);
  expect(control).toEqual({
    CONTROL_ADMIN_TOKEN: secrets.token,
    CONTROL_KEYS: secrets.keys,
    REGISTRY_ALLOWED_HOSTS: "localhost:*,127.0.0.1:*",
  });
  const told = JSON.stringify(others);
  expect(told).not.toContain(secrets.token);
  expect(told).not.toContain(secrets.keys.split(":")[1]);
});

test("every registered service has the keys derived for it, and no two have the same", async () => {
  const told = await workerSecrets(secrets);
  const registered = WORKERS.filter(({ registers }) => registers);
  expect(registered.length).toBeGreaterThanOrEqual(4);
  for (const { name, registers } of registered) {
    expect(told[name]).toEqual({ CONFIG_KEYS: await serviceKeys(secrets.keys, registers?.service ?? "") });
  }
  expect(new Set(registered.map(({ name }) => told[name]?.CONFIG_KEYS)).size).toBe(registered.length);
});
