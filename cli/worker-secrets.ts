/** Which worker of a local system is told which secrets and keys: each its own, and no other's. */
import { serviceKeys } from "#shared/config/sealing.ts";
import type { ControlSecrets } from "./control-secrets.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import { CONTROL, GATEWAY, WORKERS } from "./workers.ts";

/** Nobody needs credentials to operate the services of a local system. */
const OPERATORS = "anybody";

/** Where instances may be registered from in a local system. */
const LOCAL_HOSTS = "localhost:*,127.0.0.1:*";

/**
 * @param control of the data folder
 * @param identity of the data folder
 * @param workers the table of workers
 * @returns variables by worker name: the token and the keys for the control worker; derived keys for each service and the
 *   gateway, which has the private identity keys; the public ones for each service
 */
export const workerSecrets = async (
  { token, keys }: ControlSecrets,
  { privateJwks, publicJwks }: IdentityKeys,
  workers = WORKERS,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> => {
  const services = workers.flatMap(({ name, registers }) =>
    registers ? [{ name, service: registers.service }] : [],
  );
  const IDENTITY_KEYS = JSON.stringify(publicJwks);
  const derived = services.map(
    async ({ name, service }) =>
      [name, { CONFIG_KEYS: await serviceKeys(keys, service), IDENTITY_KEYS, OPERATORS }] as const,
  );
  return {
    ...Object.fromEntries(await Promise.all(derived)),
    [GATEWAY]: {
      CONFIG_KEYS: await serviceKeys(keys, "gateway"),
      IDENTITY_PRIVATE_KEYS: JSON.stringify({ keys: privateJwks }),
    },
    [CONTROL]: { CONTROL_ADMIN_TOKEN: token, CONTROL_KEYS: keys, REGISTRY_ALLOWED_HOSTS: LOCAL_HOSTS },
  };
};
