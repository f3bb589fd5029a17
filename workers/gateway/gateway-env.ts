/** What the handlers of the gateway's own pages find in their context. */
import type { Arrival } from "./arrival.ts";

export interface GatewayEnv {
  Bindings: { readonly arrival: Arrival };
}
