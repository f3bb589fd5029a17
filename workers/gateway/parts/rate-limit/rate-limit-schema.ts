/** How much may be sent along a route: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

const count = (most: number) => z.int().min(1).max(most);
const token = () => z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/);

const oneLimit = z.strictObject({
  limit: count(1_000_000).optional().describe("Requests in each period, in the long run."),
  periodSeconds: count(86_400).optional().describe("Whole seconds; 10 or 60 where `tier` is `location`."),
  burst: count(1_000_000)
    .optional()
    .describe("Requests that may come at once after a rest; `limit` when absent."),
  by: z
    .union([
      z.enum(["client", "caller", "tenant", "route"]),
      z.strictObject({ header: token() }),
      z.strictObject({ cookie: token() }),
    ])
    .optional()
    .describe(
      "Whose requests are counted together: a client address's, a known caller's, a tenant's, all of the route's, or those with one value of a header or cookie.",
    ),
  tier: z
    .enum(["isolate", "location", "exact"])
    .optional()
    .describe(
      "Where is counted: in each isolate, in each location by the platform, or in one place for all.",
    ),
  binding: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
    .optional()
    .describe("The gateway's rate limiting binding that counts where `tier` is `location`."),
  shards: count(LIMITS.rateLimitShards)
    .optional()
    .describe("Actors that share the counting where `tier` is `exact`."),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .optional()
    .describe("How clients know the limit; made of `by` and `periodSeconds` when absent."),
});

/** One limit, or several that must all allow. */
export const rateLimitSchema = z.union([oneLimit, z.array(oneLimit).min(1).max(LIMITS.rateLimitsPerRoute)]);

export type WrittenLimit = z.infer<typeof oneLimit>;
export type WrittenRateLimit = z.infer<typeof rateLimitSchema>;
