/** Which worker of a local system is told which secret of the control plane: each its own, and no other's. */
import { serviceKeys } from "#shared/config/sealing.ts";
import type { ControlSecrets } from "./control-secrets.ts";
import { CONTROL, WORKERS } from "./workers.ts";

/** Where instances may be registered from in a local system. */
const LOCAL_HOSTS = "localhost:*,127.0.0.1:*";

/**
 * @param secrets of the data folder
 * @param workers the table of workers
 * @returns variables by worker name: the token and the keys for the control worker, a derived key for each service
 */
export const workerSecrets = async (
  { token, keys }: ControlSecrets,
  workers = WORKERS,
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> => {
  const services = workers.flatMap(({ name, registers }) =>
    registers ? [{ name, service: registers.service }] : [],
  );
  const derived = services.map(
    async ({ name, service }) => [name, { CONFIG_KEYS: await serviceKeys(keys, service) }] as const,
  );
  return {
    ...Object.fromEntries(await Promise.all(derived)),
    [CONTROL]: { CONTROL_ADMIN_TOKEN: token, CONTROL_KEYS: keys, REGISTRY_ALLOWED_HOSTS: LOCAL_HOSTS },
  };
};
