/** What others may see of the gateway: the configuration that it goes by. */
import * as z from "zod";
import { policySchema } from "./policy/policy-schema.ts";

export const GATEWAY_CONFIG = z.strictObject({
  /** For every service. */
  policy: policySchema.default({}),
  /** For one service, by its name: part by part, and in a part field by field, stronger than `policy`. */
  services: z.record(z.string().min(1).max(128), policySchema).default({}),
});

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;
