/** What others may see of the gateway: the configuration that it goes by. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { clientAddressSchema } from "./client-address.ts";
import { policySchema } from "./policy/policy-schema.ts";
import { routeSchema } from "./routes/route-schema.ts";

export const GATEWAY_CONFIG = z.strictObject({
  /** For every service. */
  policy: policySchema.default({}),
  /** For one service, by its name: part by part, and in a part field by field, stronger than `policy`. */
  services: z.record(z.string().min(1).max(128), policySchema).default({}),
  /** Beside the services' own addresses, by name; each may have a policy, stronger than those of all and of its service. */
  routes: z
    .record(z.string().min(1).max(128), routeSchema(policySchema))
    .refine(
      (routes) => Object.keys(routes).length <= LIMITS.routes,
      `expected at most ${LIMITS.routes} routes`,
    )
    .default({}),
  /** How the address of a client is known. */
  clientAddress: clientAddressSchema.default({ kind: "platform" }),
});

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;
