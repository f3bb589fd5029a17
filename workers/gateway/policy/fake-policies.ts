/** Policies and their tools for tests: configured by an object, in the system's time or a test's. */

import { systemTimer } from "#shared/resilience/deadline-timer.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { seededRandom } from "#shared/runtime/seeded-random.ts";
import { GATEWAY_CONFIG, type GatewayConfig } from "../contract.ts";
import { keptParts } from "../kept-parts.ts";
import { authenticationMemory } from "../parts/authentication/authentication-memory.ts";
import type { ValidationOptions } from "../parts/validation/validation.ts";
import type { PipelineOptions } from "../pipeline.ts";
import type { WrittenPolicy } from "./policy-schema.ts";
import { type ServicePolicies, servicePolicies } from "./service-policies.ts";
import type { Tools } from "./upstream-parts.ts";

/** What a pipeline is made of beside its registry and its neighbours. */
export interface FakePolicies
  extends Omit<PipelineOptions, "link" | "services" | "monitor" | "control" | "newRequestId"> {
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  /** Of no service. */
  readonly documents: ValidationOptions["documents"];
  /** Puts another configuration in force. */
  configure(common: WrittenPolicy, services?: Readonly<Record<string, WrittenPolicy>>): void;
  /** The same, the whole of it as it is written. */
  configureAll(written: Parameters<typeof GATEWAY_CONFIG.parse>[0]): void;
}

export const fakePolicies = (
  common: WrittenPolicy = {},
  changes: Partial<Tools> = {},
  isRegistered: (service: string) => boolean = () => true,
): FakePolicies => {
  const tools = { clock: systemClock, random: seededRandom(1), sleep, timer: systemTimer, ...changes };
  const configOf = (policy: WrittenPolicy, services = {}): GatewayConfig =>
    GATEWAY_CONFIG.parse({ policy, services });
  let config = configOf(common);
  return {
    policies: servicePolicies({ ...tools, config: () => config, isRegistered }),
    tools,
    config: () => config,
    kept: keptParts(),
    documents: { of: () => undefined, isDue: () => false, refresh: async () => undefined },
    newName: () => crypto.randomUUID(),
    locationLimiter: () => undefined,
    exactLimiters: undefined,
    authenticationMemory: authenticationMemory({
      ...tools,
      fetch: () => Promise.reject(new Error("Fetching keys: there is no network here")),
    }),
    configure(next, services) {
      config = configOf(next, services);
    },
    configureAll(written) {
      config = GATEWAY_CONFIG.parse(written);
    },
  };
};
