/** What others may see of the gateway: the configuration that it goes by. */
import * as z from "zod";
import { entriesApart } from "#shared/config/entries-apart.ts";
import { LIMITS } from "#shared/limits.ts";
import { clientAddressSchema } from "./client-address.ts";
import { policySchema } from "./policy/policy-schema.ts";
import { routeSchema } from "./routes/route-schema.ts";

/** The registry's own ways are named so, and what a route remembers it finds by its name. */
const REGISTRYS_NAME = /^[^/]+\/v\d+$/;

const routeName = z
  .string()
  .min(1)
  .max(128)
  .refine((name) => !REGISTRYS_NAME.test(name), 'expected a name that is not of the form "service/v1"');

const routes = z
  .record(routeName, routeSchema(policySchema))
  .refine((all) => Object.keys(all).length <= LIMITS.routes, `expected at most ${LIMITS.routes} routes`)
  .default({})
  // One route in ten thousand changes: the others are not read again.
  .register(entriesApart, { most: LIMITS.routes });

export const GATEWAY_CONFIG = z.strictObject({
  /** For every service. */
  policy: policySchema.default({}),
  /** For one service, by its name: part by part, and in a part field by field, stronger than `policy`. */
  services: z.record(z.string().min(1).max(128), policySchema).default({}),
  /** Beside the services' own addresses, by name; each may have a policy, stronger than those of all and of its service. */
  routes,
  /** Where this gateway is, for policies that prefer instances of their own zone; the platform's location when absent. */
  zone: z.string().min(1).max(128).optional(),
  /** How the address of a client is known. */
  clientAddress: clientAddressSchema.default({ kind: "platform" }),
  /** A path with `%2F` or `%5C`: `keep` lets it through, and then a service must not take these for slashes. */
  escapedSlashes: z.enum(["refuse", "keep"]).default("refuse"),
});

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;
