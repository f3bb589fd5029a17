/** The policy of each service as configured now, put to what is remembered of the service; nothing is worked out twice. */
import type { Breaker, BreakerTransition } from "#shared/resilience/breaker.ts";
import type { BreakerName } from "#shared/resilience/hints/breaker-hint.ts";
import type { GatewayConfig } from "../contract.ts";
import { policyOf, SENDING_FIELDS } from "./policy.ts";
import type { WrittenPolicy } from "./policy-schema.ts";
import { type Tools, type UpstreamMemory, type UpstreamParts, upstreamMemory } from "./upstream-parts.ts";

/** What a route writes for itself. */
export interface RoutesOwn {
  /** Its name. */
  readonly route: string;
  readonly policy: WrittenPolicy;
}

export interface ServicePolicies {
  /**
   * To be asked only for what the registry knows, and for routes of the configuration: each service and major is remembered.
   * A route that writes something about sending remembers by itself; all others of a service learn from each other.
   */
  of(service: string, major: number, own?: RoutesOwn): UpstreamParts;
  /** The breaker that an instance of a registered service has already: routes with a memory of their own have others. */
  knownBreaker(name: BreakerName): Breaker | undefined;
  /** Services and majors remembered. */
  size(): number;
}

export interface ServicePoliciesOptions extends Tools {
  /** `config.get`: another object only when something has changed. */
  readonly config: () => GatewayConfig;
  /** Whether the registry has the service: what it no longer has is forgotten. */
  readonly isRegistered: (service: string) => boolean;
  /** Hears of the breakers that `knownBreaker` finds. */
  readonly breakerMoved?: (name: BreakerName, transition: BreakerTransition) => void;
}

/** With as many remembered it is time to look who has left, and again with twice as many as are left then. */
const LOOK_FROM = 64;

export const servicePolicies = (options: ServicePoliciesOptions): ServicePolicies => {
  const { config, isRegistered, breakerMoved } = options;
  const memories = new Map<string, Map<string, UpstreamMemory>>();
  /** Of two configurations that take turns, as in a roll-out, neither is worked out anew. */
  const compiled = new WeakMap<GatewayConfig, Map<string, Map<string, UpstreamParts>>>();
  let lookAt = LOOK_FROM;
  let remembered = 0;

  const memoryOf = (service: string, place: string): UpstreamMemory => {
    const places = entryOf(memories, service, () => new Map<string, UpstreamMemory>());
    return entryOf(places, place, () => {
      remembered++;
      const tells = isShared(place) && isRegistered(service) ? breakerMoved : undefined;
      return upstreamMemory(options, tells && ((instance, moved) => tells({ service, instance }, moved)));
    });
  };

  const forgetWhoLeft = (): void => {
    for (const [service, places] of memories) {
      if (isRegistered(service)) continue;
      memories.delete(service);
      compiled.get(config())?.delete(service);
      remembered -= places.size;
    }
    lookAt = Math.max(LOOK_FROM, 2 * remembered);
  };

  return {
    of(service, major, own) {
      const now = config();
      const services = entryOf(compiled, now, () => new Map<string, Map<string, UpstreamParts>>());
      const apart = own && isAboutSending(own.policy) ? own : undefined;
      const place = apart ? `${major} ${apart.route}` : `${major}`;
      const known = services.get(service)?.get(place);
      if (known) return known;
      if (remembered >= lookAt) forgetWhoLeft();
      const policy = policyOf(...layersOf(now, service), ...(apart ? [apart.policy] : []));
      const parts = memoryOf(service, place).under(policy, now.zone);
      entryOf(services, service, () => new Map<string, UpstreamParts>()).set(place, parts);
      return parts;
    },
    knownBreaker({ service, instance }) {
      for (const [place, memory] of memories.get(service) ?? []) {
        const known = isShared(place) ? memory.knownBreaker(instance) : undefined;
        if (known) return known;
      }
      return undefined;
    },
    size: () => remembered,
  };
};

/** By all routes of a service that write nothing about sending for themselves. */
const isShared = (place: string): boolean => !place.includes(" ");

/** What is written for all and for this service, the stronger one last. */
export const layersOf = ({ policy, services }: GatewayConfig, service: string): readonly WrittenPolicy[] => {
  const own = Object.hasOwn(services, service) ? services[service] : undefined;
  return own ? [policy, own] : [policy];
};

const isAboutSending = (policy: WrittenPolicy): boolean =>
  SENDING_FIELDS.some((field) => policy[field] !== undefined);

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
