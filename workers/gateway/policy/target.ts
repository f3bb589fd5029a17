/** An instance that requests can be sent to. */
import type { Balanced } from "#shared/resilience/balance/balancer.ts";
import type { TracedUpstream } from "#shared/telemetry/upstream.ts";

export interface Target extends Balanced {
  /** The instance's semantic version; that of a fixed URL says nothing. */
  readonly version: string;
  readonly upstream: TracedUpstream;
  /** Reached over the network: a request that is given up must be ended, too. Bindings end theirs with the client's. */
  readonly atUrl?: boolean;
}
