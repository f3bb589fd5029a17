/** What is said to the registry, and what it answers. */
import type { Failure } from "#shared/http/errors.ts";
import type { Instance } from "#shared/registry/instance.ts";
import type { Result } from "#shared/result.ts";

/** How the control plane asks an instance whether it is well. */
export interface HealthCheck {
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutMs: number;
  /** Successes in a row after which an instance that failed is up again. */
  readonly rise: number;
  /** Failures in a row after which it is down. */
  readonly fall: number;
}

/** What an instance says of itself. */
export type OwnState = "up" | "degraded" | "starting";

/** What whoever registers decides. Exactly one of `url` and `binding` is there; `ttlSeconds` if and only if `url` is. */
export interface Registration {
  readonly version: string;
  readonly url?: string | undefined;
  readonly binding?: string | undefined;
  readonly zone?: string | undefined;
  readonly weight: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly ttlSeconds?: number | undefined;
  /** False for an instance that is judged by its lease only. */
  readonly health: HealthCheck | false;
  readonly state: OwnState;
}

export interface InstanceName {
  readonly service: string;
  readonly id: string;
}

/** An instance with what only operators want to know. Times are epoch milliseconds. */
export interface RegisteredInstance extends Instance {
  readonly service: string;
  readonly health: HealthCheck | false;
  readonly ttlSeconds?: number;
  readonly registeredAt: number;
  /** When it is down unless it renews. */
  readonly leaseEndsAt?: number;
  /** When it is forgotten: draining, or gone without a word. */
  readonly removedAt?: number;
}

export interface RegisteredService {
  readonly service: string;
  /** The epoch of its last change. */
  readonly epoch: number;
  readonly instances: readonly RegisteredInstance[];
}

type Refused<Code extends string> = Failure<Code>;

/** The registry's part of the Actor's methods. */
export type RegistryMethods = {
  /** Registers an instance, or renews it; `renewWithinSeconds` is a third of its lease. */
  registerInstance(input: InstanceName & { readonly registration: Registration }): Promise<
    Result<
      {
        readonly created: boolean;
        readonly instance: RegisteredInstance;
        readonly renewWithinSeconds?: number;
      },
      Refused<"url_not_allowed" | "binding_not_known" | "limit_reached">
    >
  >;
  /** No new work at once, forgotten after `drainSeconds`; said again, the earlier end counts. */
  drainInstance(
    input: InstanceName & { readonly drainSeconds: number },
  ): Promise<Result<{ readonly removedAt: number }, Refused<"instance_not_found">>>;
  /** An operator's word: `out_of_service` until it is taken back by `up`. */
  setInstanceState(
    input: InstanceName & { readonly state: "up" | "out_of_service" },
  ): Promise<Result<RegisteredInstance, Refused<"instance_not_found">>>;
  /** Services by name, after `after`: fewer than `limit` when they have many instances; `last` when none follow. */
  listServices(input: {
    readonly after: string;
    readonly limit: number;
  }): Promise<{ readonly services: readonly RegisteredService[]; readonly last: boolean }>;
  findService(input: {
    readonly service: string;
  }): Promise<Result<RegisteredService, Refused<"service_not_registered">>>;
  findInstance(input: InstanceName): Promise<Result<RegisteredInstance, Refused<"instance_not_found">>>;
};
