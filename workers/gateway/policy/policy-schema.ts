/** What of a service's failures the gateway keeps from its clients: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { authenticationSchema } from "../parts/authentication/authentication-schema.ts";
import { cacheSchema } from "../parts/cache/cache-schema.ts";
import { compressionSchema } from "../parts/compression/compression-schema.ts";
import { corsSchema } from "../parts/cors/cors-schema.ts";
import { fallbackSchema } from "../parts/fallback/fallback-schema.ts";
import { faultSchema } from "../parts/fault/fault-schema.ts";
import { headerEditsSchema } from "../parts/header-edits/header-edits-schema.ts";
import { lifecycleSchema } from "../parts/lifecycle/lifecycle-schema.ts";
import { limitsSchema } from "../parts/limits/limits-schema.ts";
import { mirrorSchema } from "../parts/mirror/mirror-schema.ts";
import { rateLimitSchema } from "../parts/rate-limit/rate-limit-schema.ts";
import { securityHeadersSchema } from "../parts/security-headers/security-headers-schema.ts";
import { serverTimingSchema } from "../parts/server-timing/server-timing-schema.ts";
import { sessionSchema } from "../parts/session/session-schema.ts";
import { validationSchema } from "../parts/validation/validation-schema.ts";
import { versionsSchema } from "../parts/versions/versions-schema.ts";

const count = (most: number, least = 1) => z.int().min(least).max(most);
const ms = (most = LIMITS.latencyMs, least = 0) => z.int().min(least).max(most);
const share = () => z.number().min(0).max(1);
const headerName = () => z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/);
const OFF = z.literal(false);

const retry = z.strictObject({
  attempts: count(10).optional().describe("Attempts in all, the first included."),
  statuses: z
    .array(z.int().min(400).max(599))
    .max(20)
    .optional()
    .describe(
      "Answers that are tried again; not a 503 that is a problem document, for that is the service's own word.",
    ),
  backoffMs: ms()
    .optional()
    .describe("The first pause is anything up to this, each further one up to twice the last."),
  backoffMaxMs: ms().optional().describe("No pause is longer, but for `Retry-After`."),
  safeMethods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/))
    .max(10)
    .optional()
    .describe("Methods that this service lets be sent twice beside the idempotent ones."),
  bodyBytesMax: count(LIMITS.requestBodyBytes, 0)
    .optional()
    .describe("Larger bodies stream, and are sent once."),
  budget: z
    .strictObject({
      ratio: share().optional().describe("Further attempts per request."),
      perSecond: z
        .number()
        .min(0)
        .max(1_000)
        .optional()
        .describe("Further attempts that time alone pays for."),
      cap: z.number().min(0).max(10_000).optional().describe("The most that is saved up."),
    })
    .optional()
    .describe("What further attempts, hedges too, are paid from, in each isolate."),
});

const hedge = z.strictObject({
  quantile: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe("A second attempt starts when the first takes longer than this share of the answers did."),
  answersMin: count(10_000).optional().describe("With fewer known answers there is no second attempt."),
});

const breaker = z.strictObject({
  window: z
    .union([
      z.strictObject({ kind: z.literal("count"), calls: count(LIMITS.breakerWindowCalls) }),
      z.strictObject({ kind: z.literal("time"), seconds: z.number().gt(0).max(3_600) }),
    ])
    .optional()
    .describe("What is judged: the last `calls`, or those of the last `seconds`."),
  failureRate: z.number().gt(0).optional().describe("Share of failures that opens; above 1 never."),
  slowCallRate: z.number().gt(0).optional().describe("Share of slow calls that opens; above 1 never."),
  slowCallMs: ms().optional().describe("A call that takes longer is slow."),
  minimumCalls: count(LIMITS.breakerWindowCalls)
    .optional()
    .describe("Fewer calls in the window are not judged."),
  permittedHalfOpenCalls: count(LIMITS.breakerTrialCalls)
    .optional()
    .describe("Calls by which a half-open breaker finds out."),
  openMs: ms(LIMITS.latencyMs, 1).optional().describe("How long the first opening lasts."),
  openMsMax: ms(LIMITS.latencyMs, 1).optional().describe("The longest that an opening lasts."),
  openGrowth: z
    .number()
    .min(1)
    .max(10)
    .optional()
    .describe("Factor of the open time after each failed trial."),
  jitter: share().optional().describe("Share by which an open time is shortened at most, at random."),
  mode: z
    .enum(["auto", "forced_open", "forced_closed", "disabled", "metrics_only"])
    .optional()
    .describe("An operator's word: `forced_open` refuses every call."),
});

const bulkhead = z.strictObject({
  concurrent: count(LIMITS.bulkheadSlots, 0)
    .optional()
    .describe("Requests under way at once in each isolate."),
  queue: count(LIMITS.bulkheadQueue, 0).optional().describe("Requests that wait for a slot; 0: none waits."),
  waitMs: ms(60_000).optional().describe("The longest that one waits."),
});

const throttle = z.strictObject({
  factor: z.number().gt(1).max(100).optional().describe("Requests per accepted one that are let through."),
  padding: count(10_000)
    .optional()
    .describe("Added to the requests: few failures at low traffic refuse little."),
  windowSeconds: count(600).optional().describe("What is counted."),
  patienceMs: ms().optional().describe("A request without an answer for as long counts as not accepted."),
  priorityHeader: headerName()
    .optional()
    .describe(
      "The header that says `low` (refused first) or `high` (refused last); whoever may set it is believed.",
    ),
});

const balance = z
  .union([
    z.enum(["weight", "power_of_two", "round_robin"]),
    z.strictObject({
      hash: z.union([z.strictObject({ header: headerName() }), z.strictObject({ cookie: headerName() })]),
    }),
    z.strictObject({ sticky: z.strictObject({ cookie: headerName() }) }),
  ])
  .describe(
    "How an instance is chosen; by `hash` requests of one header or cookie go to one instance, by `sticky` a client's go where its first one went.",
  );

const outliers = z.strictObject({
  consecutiveFailures: count(1_000).optional().describe("Failures in a row that eject an instance."),
  compareEveryMs: ms(LIMITS.latencyMs, 1).optional().describe("How often success rates are compared."),
  requestsMin: count(100_000).optional().describe("Fewer requests say nothing about a rate."),
  deviations: z.number().gt(0).max(100).optional().describe("Standard errors below its peers that eject."),
  gapMin: share().optional().describe("A rate within this much of its peers' is well enough."),
  ejectionMs: ms(LIMITS.latencyMs, 1)
    .optional()
    .describe("The first ejection; the next are 2, 3, … times as long."),
  ejectionMaxMs: ms(LIMITS.latencyMs, 1).optional().describe("No ejection is longer."),
  shareMax: share()
    .optional()
    .describe("At most this share is ejected, though one of two or more may always be."),
  panicShare: share().optional().describe("When less than this share would remain nobody counts as ejected."),
});

/** Every part may be left out: a service's own part goes before the common one, field by field, then come the defaults. */
export const policySchema = z.strictObject({
  deadlineMs: z
    .union([OFF, ms(LIMITS.latencyMs, 1)])
    .optional()
    .describe(
      "From the request to the answer's headers, all attempts together; a client may ask for less. `false`: only clients set one.",
    ),
  retry: z
    .union([OFF, retry])
    .optional()
    .describe("Tries again what may be sent twice, elsewhere where it can."),
  hedge: z.union([OFF, hedge]).optional().describe("A second attempt beside one that is slow."),
  breaker: z
    .union([OFF, breaker])
    .optional()
    .describe("Keeps requests from an instance that fails or is slow."),
  bulkhead: z.union([OFF, bulkhead]).optional().describe("At most so many requests at once."),
  throttle: z
    .union([OFF, throttle])
    .optional()
    .describe("Refuses a share when the service does not accept them."),
  balance: balance.optional(),
  zone: z
    .enum(["prefer", "any"])
    .optional()
    .describe("`prefer`: instances of the gateway's own zone, while they have room."),
  slowStartMs: ms().optional().describe("A new instance's way to its whole weight; 0: none."),
  outliers: z
    .union([OFF, outliers])
    .optional()
    .describe("No work for an instance that fails while its peers do not."),
  versions: z
    .union([OFF, versionsSchema])
    .optional()
    .describe("How a request may say its version beside the path."),
  serverTiming: z
    .union([OFF, serverTimingSchema])
    .optional()
    .describe("Tells clients where the time went (`Server-Timing`)."),
  headers: z.union([OFF, headerEditsSchema]).optional().describe("Changes headers of requests and answers."),
  securityHeaders: z
    .union([OFF, securityHeadersSchema])
    .optional()
    .describe("Tells browsers what to refuse by themselves."),
  compression: z.union([OFF, compressionSchema]).optional().describe("Compresses answers."),
  cors: z.union([OFF, corsSchema]).optional().describe("Lets pages of other origins read answers."),
  fault: z.union([OFF, faultSchema]).optional().describe("Injects delays and errors, for tests in the open."),
  lifecycle: z
    .union([OFF, lifecycleSchema])
    .optional()
    .describe("Until when it is offered: `Deprecation`, `Sunset`, then 410."),
  authentication: z
    .union([OFF, authenticationSchema])
    .optional()
    .describe("Finds out who calls, and lets in who may."),
  session: z.union([OFF, sessionSchema]).optional().describe("Keeps sessions in a sealed cookie."),
  rateLimit: z
    .union([OFF, ...rateLimitSchema.options])
    .optional()
    .describe("How much one caller may send: one limit, or several that must all allow."),
  validation: z
    .union([OFF, validationSchema])
    .optional()
    .describe("Holds requests to the service's OpenAPI document."),
  cache: z.union([OFF, cacheSchema]).optional().describe("Keeps answers by RFC 9111."),
  limits: z.union([OFF, limitsSchema]).optional().describe("How large requests may be."),
  mirror: z
    .union([OFF, mirrorSchema])
    .optional()
    .describe("Sends a share of the requests to somebody else, too."),
  fallback: z
    .union([OFF, fallbackSchema])
    .optional()
    .describe("What clients get when the service gives no usable answer."),
});

/** As it is written; see `Policy` for what comes of it. */
export type WrittenPolicy = z.infer<typeof policySchema>;
