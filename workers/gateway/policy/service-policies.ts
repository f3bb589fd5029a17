/** The policy of each service as configured now, put to what is remembered of the service; nothing is worked out twice. */
import type { GatewayConfig } from "../contract.ts";
import { policyOf } from "./policy.ts";
import { type Tools, type UpstreamMemory, type UpstreamParts, upstreamMemory } from "./upstream-parts.ts";

export interface ServicePolicies {
  /** To be asked only for what the registry knows: each service and major is remembered. */
  of(service: string, major: number): UpstreamParts;
  /** Services and majors remembered. */
  size(): number;
}

export interface ServicePoliciesOptions extends Tools {
  /** `config.get`: another object only when something has changed. */
  readonly config: () => GatewayConfig;
  /** Whether the registry has the service: what it no longer has is forgotten. */
  readonly isRegistered: (service: string) => boolean;
}

/** With as many remembered it is time to look who has left, and again with twice as many as are left then. */
const LOOK_FROM = 64;

export const servicePolicies = (options: ServicePoliciesOptions): ServicePolicies => {
  const { config, isRegistered } = options;
  const memories = new Map<string, Map<number, UpstreamMemory>>();
  /** Of two configurations that take turns, as in a roll-out, neither is worked out anew. */
  const compiled = new WeakMap<GatewayConfig, Map<string, Map<number, UpstreamParts>>>();
  let lookAt = LOOK_FROM;
  let remembered = 0;

  const memoryOf = (service: string, major: number): UpstreamMemory => {
    const majors = entryOf(memories, service, () => new Map<number, UpstreamMemory>());
    return entryOf(majors, major, () => {
      remembered++;
      return upstreamMemory(options);
    });
  };

  const forgetWhoLeft = (): void => {
    for (const [service, majors] of memories) {
      if (isRegistered(service)) continue;
      memories.delete(service);
      compiled.get(config())?.delete(service);
      remembered -= majors.size;
    }
    lookAt = Math.max(LOOK_FROM, 2 * remembered);
  };

  return {
    of(service, major) {
      const now = config();
      const services = entryOf(compiled, now, () => new Map<string, Map<number, UpstreamParts>>());
      const known = services.get(service)?.get(major);
      if (known) return known;
      if (remembered >= lookAt) forgetWhoLeft();
      const own = Object.hasOwn(now.services, service) ? now.services[service] : undefined;
      const policy = policyOf(now.policy, own);
      const parts = memoryOf(service, major).under(policy);
      entryOf(services, service, () => new Map<number, UpstreamParts>()).set(major, parts);
      return parts;
    },
    size: () => remembered,
  };
};

const entryOf = <Key, Value>(
  map: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};
