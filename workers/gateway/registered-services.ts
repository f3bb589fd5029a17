/** The services as the registry knows them now: where a request goes, and what there is to show. */
import type { CountedAnswer } from "#shared/control/arm-sums.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { type Instance, majorOf, type ServiceEntry } from "#shared/registry/instance.ts";
import { chooseInstance, type Eligible, registryLookup } from "#shared/registry/lookup.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Random } from "#shared/runtime/clock.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import type { Target } from "./policy/target.ts";
import type { ServicePath } from "./service-path.ts";

/** What the gateway needs of its link to the control plane. */
export interface RegistryLink {
  /** False in an isolate that has not heard of the control plane yet. */
  loaded(): boolean;
  /** Waits a bounded time for the first look or a snapshot; never rejects. */
  load(waitUntil?: (work: Promise<unknown>) => void): Promise<void>;
  entry(service: string): ServiceEntry | undefined;
  entries(): Iterable<ServiceEntry>;
  /** Looks unless it just did; true when it did. */
  lookNow(): Promise<boolean>;
  /** Tells of an epoch that was met: when it is news, the link looks after this request. */
  saw(epoch: number): void;
  count(answer: CountedAnswer): void;
}

export interface RegisteredServicesOptions {
  readonly link: Pick<RegistryLink, "entry" | "entries">;
  /** Undefined when the instance cannot be reached from here. */
  readonly upstreamOf: (instance: Instance) => Upstream | undefined;
  readonly random: Random;
}

/** Why a request goes nowhere. */
export type RoutingRefusal =
  | { readonly code: "not_registered" }
  | { readonly code: "no_such_major"; readonly majors: readonly number[] }
  | { readonly code: "no_healthy_instance" }
  | { readonly code: "nothing_known" };

export interface ListedService {
  readonly name: string;
  readonly majors: readonly number[];
  /** One line for people, from the metadata of an instance of the newest major; empty when it gives none. */
  readonly summary: string;
}

export interface RegisteredServices {
  /** Those that are eligible at this moment, one at least; the same array until they change. */
  find(path: ServicePath): Result<readonly Target[], RoutingRefusal>;
  /** One of them, by weight. */
  findOne(path: ServicePath): Result<Upstream, RoutingRefusal>;
  /** That have an instance in any state, ascending. */
  majors(service: string): readonly number[];
  /** By name. */
  list(): readonly ListedService[];
}

const NOT_REGISTERED = err({ code: "not_registered" } as const);
const NO_HEALTHY_INSTANCE = err({ code: "no_healthy_instance" } as const);

export const registeredServices = ({
  link,
  upstreamOf,
  random,
}: RegisteredServicesOptions): RegisteredServices => {
  const lookup = registryLookup((instance, service): Target | undefined => {
    const upstream = upstreamOf(instance);
    const { id, version, weight, zone, binding } = instance;
    const traced = upstream && tracedUpstream(upstream, { service });
    const atUrl = binding === undefined;
    return traced && { id, version, weight, ...(zone && { zone }), atUrl, upstream: traced };
  });

  const eligibleOf = ({ service, major }: ServicePath): Result<Eligible<Target>, RoutingRefusal> => {
    const entry = link.entry(service);
    if (!entry || entry.instances.length === 0) return NOT_REGISTERED;
    const { majors } = lookup(entry);
    const eligible = major === undefined ? undefined : majors.get(major);
    if (!eligible) return err({ code: "no_such_major", majors: [...majors.keys()] });
    return eligible.targets.length > 0 ? ok(eligible) : NO_HEALTHY_INSTANCE;
  };

  return {
    find(path) {
      const found = eligibleOf(path);
      return found.ok ? ok(found.value.targets) : found;
    },
    findOne(path) {
      const found = eligibleOf(path);
      if (!found.ok) return found;
      const target = chooseInstance(found.value, random);
      return target ? ok(target.upstream) : NO_HEALTHY_INSTANCE;
    },
    majors(service) {
      const entry = link.entry(service);
      return entry ? [...lookup(entry).majors.keys()] : [];
    },
    list: () =>
      [...link.entries()]
        .filter(({ instances }) => instances.length > 0)
        .sort((one, other) => (one.service < other.service ? -1 : 1))
        .map((entry) => {
          const majors = [...lookup(entry).majors.keys()];
          return { name: entry.service, majors, summary: summaryOf(entry, majors.at(-1)) };
        }),
  };
};

const summaryOf = ({ instances }: ServiceEntry, newest: number | undefined): string =>
  instances.find(({ version, metadata }) => majorOf(version) === newest && metadata.summary)?.metadata
    .summary ?? "";
