/** An instance as the registry keeps it, and what of it others may see. */
import type { Instance } from "#shared/registry/instance.ts";
import { type Life, stateOf, type Terms } from "./instance-life.ts";
import type { HealthCheck, InstanceName, RegisteredInstance, Registration } from "./registration.ts";

/** What was registered: where it is, and on which terms. */
export interface Definition {
  readonly version: string;
  readonly url?: string;
  readonly binding?: string;
  readonly zone?: string;
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly health: HealthCheck | false;
  readonly ttlSeconds?: number;
}

export interface StoredInstance extends InstanceName {
  /** The epoch in which it began: tells it from an earlier one at its id. */
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly registeredAt: number;
  readonly definition: Definition;
  readonly life: Life;
}

/** One instance before and after something happened to it. */
export interface InstanceChange {
  readonly before?: StoredInstance | undefined;
  readonly after?: StoredInstance | undefined;
}

/** @param url as the parser wrote it */
export const definitionOf = (registration: Registration, url: string | undefined): Definition => {
  const { version, binding, zone, weight, metadata, health, ttlSeconds } = registration;
  return {
    version,
    ...(url !== undefined && { url }),
    ...(binding !== undefined && { binding }),
    ...(zone !== undefined && { zone }),
    weight,
    metadata: Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
    health,
    ...(ttlSeconds !== undefined && { ttlSeconds }),
  };
};

export const termsOf = ({ health, ttlSeconds }: Definition): Terms => ({
  health,
  ttlMs: ttlSeconds === undefined ? undefined : ttlSeconds * 1_000,
});

/** Whether both are at one place: what answered well there did so whatever else is said of it now. */
export const isSamePlace = (one: Definition, other: Definition): boolean =>
  one.url === other.url && one.binding === other.binding;

/** What everybody is told of it. */
export const instanceOf = ({ id, definition, life }: StoredInstance): Instance => {
  const { health: _, ttlSeconds: __, version, ...place } = definition;
  return { id, version, state: stateOf(life), ...place };
};

/** Whether anybody else can see the change. */
export const isVisible = ({ before, after }: InstanceChange): boolean =>
  JSON.stringify(before && instanceOf(before)) !== JSON.stringify(after && instanceOf(after));

/** What operators are told of it. */
export const registeredInstanceOf = (stored: StoredInstance): RegisteredInstance => {
  const { service, definition, registeredAt, life } = stored;
  return {
    service,
    ...instanceOf(stored),
    health: definition.health,
    ...(definition.ttlSeconds !== undefined && { ttlSeconds: definition.ttlSeconds }),
    registeredAt,
    ...(life.leaseEndsAt !== undefined && { leaseEndsAt: life.leaseEndsAt }),
    ...(life.removeAt !== undefined && { removedAt: life.removeAt }),
  };
};
