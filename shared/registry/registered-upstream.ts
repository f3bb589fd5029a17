/** An Upstream that asks the registry at each request: how one service calls another. */
import type { Upstream } from "../http/upstream.ts";
import { LIMITS } from "../limits.ts";
import type { Random } from "../runtime/clock.ts";
import type { ServiceEntry } from "./instance.ts";
import { type Bindings, instanceUpstream } from "./instance-upstream.ts";
import { chooseInstance, type Eligible, registryLookup } from "./lookup.ts";

export interface RegisteredUpstreamOptions {
  readonly service: string;
  readonly major: number;
  /** What is known of a service now: `link.entry`. */
  readonly entry: (service: string) => ServiceEntry | undefined;
  /** The calling worker's own service bindings; an instance at one of them is called over it. */
  readonly bindings: Bindings;
  readonly random: Random;
  /** Called while nothing is known of the service, as before the control plane was ever reached: a binding of our own. */
  readonly unknown?: Upstream;
  /** For instances at a URL, from sending to the answer's headers; `LIMITS.instanceAnswerMs` when absent. */
  readonly timeoutMs?: () => number;
}

/** There is no such service, or none of this major version. */
export class ServiceNotRegistered extends Error {
  override readonly name = "ServiceNotRegistered";
}

/** The service is registered, but no instance of this major version may get work. */
export class NoHealthyInstance extends Error {
  override readonly name = "NoHealthyInstance";
}

/**
 * Each request goes to an instance that is eligible at that moment; nothing is tried twice.
 * Rejects with {@link ServiceNotRegistered} or {@link NoHealthyInstance} when there is none to send to.
 */
export const registeredUpstream = (options: RegisteredUpstreamOptions): Upstream => {
  const { service, major, entry, bindings, random } = options;
  const timeoutMs = options.timeoutMs ?? (() => LIMITS.instanceAnswerMs);
  const lookup = registryLookup((instance) => instanceUpstream(instance, { bindings, timeoutMs }));
  return {
    async fetch(request) {
      const found = entry(service);
      if (!found && options.unknown) return options.unknown.fetch(request);
      const majors = found ? lookup(found).majors : NONE;
      const eligible = majors.get(major);
      if (!eligible) throw new ServiceNotRegistered(unregistered(service, major, [...majors.keys()]));
      const upstream = chooseInstance(eligible, random);
      if (!upstream) {
        throw new NoHealthyInstance(
          `Calling "${service}" v${major}: no instance is healthy, expected one that is up or degraded`,
        );
      }
      return upstream.fetch(request);
    },
  };
};

const NONE: ReadonlyMap<number, Eligible<Upstream>> = new Map();

const unregistered = (service: string, major: number, majors: readonly number[]): string =>
  majors.length === 0
    ? `Calling "${service}" v${major}: the service is not registered`
    : `Calling "${service}" v${major}: expected one of ${majors.map((each) => `"v${each}"`).join(", ")}`;
