/** How often one client's network may present credentials that are not valid, before nothing new of it is looked at. */
import type { Exchange } from "../../exchange.ts";
import { clientNetwork } from "../rate-limit/client-network.ts";
import type { AuthenticationMemory } from "./authentication-memory.ts";
import type { FailureSettings } from "./authentication-schema.ts";

export const FAILURE_DEFAULTS = { limit: 20, periodSeconds: 60 } as const satisfies FailureSettings;

export interface Failures {
  /** Milliseconds until something of the network is looked at again; 0: now. Spends nothing. */
  waitMs(exchange: Exchange): number;
  add(exchange: Exchange): void;
}

/** Where the client's address is not known nothing is counted: all such clients together would be locked out by one. */
export const failuresOf = (settings: FailureSettings, memory: AuthenticationMemory): Failures => {
  const { limit = FAILURE_DEFAULTS.limit, periodSeconds = FAILURE_DEFAULTS.periodSeconds } = settings;
  const limiter = memory.failureLimiter({ limit, periodSeconds, burst: settings.burst ?? limit });
  return {
    waitMs({ clientAddress }) {
      if (clientAddress === undefined) return 0;
      const { remaining, resetMs } = limiter.take(clientNetwork(clientAddress), 0);
      return remaining > 0 ? 0 : resetMs;
    },
    add({ clientAddress }) {
      if (clientAddress !== undefined) limiter.take(clientNetwork(clientAddress));
    },
  };
};
