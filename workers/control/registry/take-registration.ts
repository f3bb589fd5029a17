/** Decides what a registration is: a new instance, the deployment of another version in its place, or a renewal. */
import type { Failure } from "#shared/http/errors.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { begin, type Life, type ProbeResult, probed, renew, stateOf } from "./instance-life.ts";
import type { HealthCheck, InstanceName, OwnState } from "./registration.ts";
import { charactersOf, type RegistryTables } from "./registry-tables.ts";
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
  /** Of all definitions together. */
  readonly characters: number;
  /** Services without instances that are remembered. */
  readonly servicesGone: number;
}

export interface RegistrationRequest extends InstanceName {
  readonly definition: Definition;
  readonly said: OwnState;
  /** What it answered to a probe that went before; counts when it begins anew and is well. */
  readonly seen?: SeenAtFirst | undefined;
}

export interface SeenAtFirst {
  readonly result: ProbeResult;
  /** When the next probe is due, epoch milliseconds. */
  readonly next: number;
}

export interface TakenRegistration {
  readonly created: boolean;
  /** Nothing that was known of the id before counts for its health. */
  readonly anew: boolean;
  readonly instance: StoredInstance;
}

type Taken = Result<{ changes: InstanceChange[]; value: TakenRegistration }, Failure<"limit_reached">>;

/** @param at.epoch the one under which it would be seen */
export const takeRegistration = (
  tables: RegistryTables,
  request: RegistrationRequest,
  { now, epoch, bounds }: { now: number; epoch: number; bounds: RegistryBounds },
): Taken => {
  const { service, id, definition, said } = request;
  const before = tables.find(service, id);
  const full =
    tooLarge(tables, { before, definition }, bounds) ??
    (before ? undefined : fullAt(tables, service, bounds));
  if (full !== undefined) {
    return err({
      code: "limit_reached",
      detail: `Registering "${id}" of the service "${service}": ${full}.`,
    });
  }
  if (!before || beginsAnew(before, request)) {
    const life = firstLife(request, before?.life, now);
    const instance = { service, id, generation: epoch, registeredAt: now, definition, life };
    return ok({ changes: [{ before, after: instance }], value: { created: !before, anew: true, instance } });
  }
  const kept = { created: false, anew: false };
  if (before.life.draining) return ok({ changes: [], value: { ...kept, instance: before } });
  const isSame = JSON.stringify(before.definition) === JSON.stringify(definition);
  const renewed = renew(before.life, termsOf(definition), { said, now });
  // Another version is asked at once, and used meanwhile as the one before it was: a deployment makes no gap.
  const isDeployed = before.definition.version !== definition.version && renewed.probeAt !== undefined;
  const life = isDeployed ? { ...renewed, probeAt: now } : renewed;
  const instance = { ...before, definition: isSame ? before.definition : definition, life };
  return ok({ changes: [{ before, after: instance }], value: { ...kept, instance } });
};

const firstLife = (
  { definition, said, seen }: RegistrationRequest,
  former: Life | undefined,
  now: number,
): Life => {
  const life = begin(termsOf(definition), said, { now, ...(former && { former }) });
  const check: HealthCheck | false = definition.health;
  return check && seen?.result.ok ? probed(life, check, { ...seen, now }) : life;
};

/**
 * At another place, or in the place of one that is gone: another version of one that is down or drains is no renewal. Who
 * drains and says that it starts is back, and no renewal that was late.
 */
const beginsAnew = (
  before: StoredInstance,
  { definition, said }: Pick<RegistrationRequest, "definition" | "said">,
): boolean => {
  if (!isSamePlace(before.definition, definition)) return true;
  if (before.life.draining && said === "starting") return true;
  const isGone = before.life.draining || stateOf(before.life) === "down";
  return isGone && before.definition.version !== definition.version;
};

/** What does not grow is never refused: a lease must be renewed also where all is full. */
const tooLarge = (
  tables: RegistryTables,
  { before, definition }: { before: StoredInstance | undefined; definition: Definition },
  bounds: RegistryBounds,
): string | undefined => {
  const growth = charactersOf(definition) - charactersOf(before?.definition);
  if (growth <= 0 || tables.characters() + growth <= bounds.characters) return undefined;
  return `expected at most ${bounds.characters} characters of URLs, metadata and the like of all instances`;
};

const fullAt = (tables: RegistryTables, service: string, bounds: RegistryBounds): string | undefined => {
  const { services, instances } = tables.counts();
  const inService = tables.countOf(service);
  if (inService >= bounds.instancesPerService)
    return `expected at most ${bounds.instancesPerService} instances`;
  if (instances >= bounds.instances) return `expected at most ${bounds.instances} instances in all`;
  if (inService === 0 && services >= bounds.services) return `expected at most ${bounds.services} services`;
  return undefined;
};
