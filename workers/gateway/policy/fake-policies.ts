/** Policies and their tools for tests: configured by an object, in the system's time or a test's. */
import { systemTimer } from "#shared/resilience/deadline-timer.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { GATEWAY_CONFIG, type GatewayConfig } from "../contract.ts";
import type { WrittenPolicy } from "./policy-schema.ts";
import { type ServicePolicies, servicePolicies } from "./service-policies.ts";
import type { Tools } from "./upstream-parts.ts";

export interface FakePolicies {
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  readonly config: () => GatewayConfig;
  /** Puts another configuration in force. */
  configure(common: WrittenPolicy, services?: Readonly<Record<string, WrittenPolicy>>): void;
}

export const fakePolicies = (
  common: WrittenPolicy = {},
  changes: Partial<Tools> = {},
  isRegistered: (service: string) => boolean = () => true,
): FakePolicies => {
  const tools = { clock: systemClock, random: Math.random, sleep, timer: systemTimer, ...changes };
  const configOf = (policy: WrittenPolicy, services = {}): GatewayConfig =>
    GATEWAY_CONFIG.parse({ policy, services });
  let config = configOf(common);
  return {
    policies: servicePolicies({ ...tools, config: () => config, isRegistered }),
    tools,
    config: () => config,
    configure(next, services) {
      config = configOf(next, services);
    },
  };
};
