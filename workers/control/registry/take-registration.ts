/** Decides what a registration is: a new instance, the deployment of another version in its place, or a renewal. */
import type { Failure } from "#shared/http/errors.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { begin, renew } from "./instance-life.ts";
import type { InstanceName, OwnState } from "./registration.ts";
import type { RegistryTables } from "./registry-tables.ts";
import {
  type Definition,
  type InstanceChange,
  isSamePlace,
  type StoredInstance,
  termsOf,
} from "./stored-instance.ts";

export interface RegistryBounds {
  readonly services: number;
  readonly instances: number;
  readonly instancesPerService: number;
  /** Services without instances that are remembered. */
  readonly servicesGone: number;
}

export interface RegistrationRequest extends InstanceName {
  readonly definition: Definition;
  readonly said: OwnState;
}

type Taken = Result<
  { changes: InstanceChange[]; value: { created: boolean; instance: StoredInstance } },
  Failure<"limit_reached">
>;

/** @param at.epoch the one under which it would be seen */
export const takeRegistration = (
  tables: RegistryTables,
  { service, id, definition, said }: RegistrationRequest,
  { now, epoch, bounds }: { now: number; epoch: number; bounds: RegistryBounds },
): Taken => {
  const before = tables.find(service, id);
  const full = before ? undefined : fullAt(tables, service, bounds);
  if (full !== undefined) {
    return err({
      code: "limit_reached",
      detail: `Registering "${id}" of the service "${service}": ${full}.`,
    });
  }
  const terms = termsOf(definition);
  if (!before || beginsAnew(before, { definition, said })) {
    const life = begin(terms, said, { now, ...(before && { former: before.life }) });
    const instance = { service, id, generation: epoch, registeredAt: now, definition, life };
    return ok({ changes: [{ before, after: instance }], value: { created: !before, instance } });
  }
  if (before.life.draining) return ok({ changes: [], value: { created: false, instance: before } });
  const isSame = JSON.stringify(before.definition) === JSON.stringify(definition);
  const instance = {
    ...before,
    definition: isSame ? before.definition : definition,
    life: renew(before.life, terms, { said, now }),
  };
  return ok({ changes: [{ before, after: instance }], value: { created: false, instance } });
};

/** Who drains and says that it starts is back, and no renewal that was late. */
const beginsAnew = (
  before: StoredInstance,
  { definition, said }: Pick<RegistrationRequest, "definition" | "said">,
): boolean => !isSamePlace(before.definition, definition) || (before.life.draining && said === "starting");

const fullAt = (tables: RegistryTables, service: string, bounds: RegistryBounds): string | undefined => {
  const { services, instances } = tables.counts();
  const inService = tables.countOf(service);
  if (inService >= bounds.instancesPerService)
    return `expected at most ${bounds.instancesPerService} instances`;
  if (instances >= bounds.instances) return `expected at most ${bounds.instances} instances in all`;
  if (inService === 0 && services >= bounds.services) return `expected at most ${bounds.services} services`;
  return undefined;
};
