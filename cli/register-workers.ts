/** Tells a control plane of the workers: what each service's configuration may be, and at which binding it answers. */
import type { z } from "zod";
import { configJsonSchema } from "#shared/config/config-json-schema.ts";
import { CATALOG_CONFIG } from "#workers/catalog/contract.ts";
import { GATEWAY_CONFIG } from "#workers/gateway/contract.ts";
import { INVENTORY_CONFIG } from "#workers/inventory/contract.ts";
import { ORDERS_CONFIG } from "#workers/orders/contract.ts";
import { PAYMENTS_CONFIG } from "#workers/payments/contract.ts";
import type { ControlClient } from "./control-client.ts";
import { CliFailure } from "./failure.ts";
import { WORKERS, type WorkerEntry } from "./workers.ts";

/** What services declare of their configuration, by service; the others take any. */
const CONFIG_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  catalog: CATALOG_CONFIG,
  gateway: GATEWAY_CONFIG,
  inventory: INVENTORY_CONFIG,
  orders: ORDERS_CONFIG,
  payments: PAYMENTS_CONFIG,
};

/**
 * Schemas first, so that nothing is ever registered whose documents nobody checks. What stands already stays as it is, so this
 * is done at every start.
 * @param control as a caller of the role write
 * @throws CliFailure naming what could not be declared or registered
 */
export const registerWorkers = async (
  control: Pick<ControlClient, "declareSchema" | "registerInstance">,
  workers: readonly WorkerEntry[] = WORKERS,
  schemas = CONFIG_SCHEMAS,
): Promise<readonly { readonly service: string; readonly id: string }[]> => {
  const named = async (what: string, work: Promise<void>) => {
    await work.catch((error: unknown) => {
      if (!(error instanceof CliFailure)) throw error;
      throw new CliFailure(`cannot register ${what}: ${error.message}`);
    });
  };
  for (const [service, schema] of Object.entries(schemas)) {
    await named(
      `the configuration schema of "${service}"`,
      control.declareSchema(service, configJsonSchema(schema)),
    );
  }
  const registered = [];
  for (const { name, registers } of workers) {
    if (!registers) continue;
    const { service, binding, version, summary } = registers;
    registered.push({ service, id: name });
    await named(
      `the service "${service}"`,
      control.registerInstance(service, name, { binding, version, metadata: { summary } }),
    );
  }
  return registered;
};
