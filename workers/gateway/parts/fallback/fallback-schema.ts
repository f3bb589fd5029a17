/** What clients get when a service gives no usable answer: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { destinationSchema } from "./destination-schema.ts";

/**
 * They frame the message, belong to one connection (RFC 9110 section 7.6.1), or are the gateway's own word. That it is not to be
 * kept is one of these: a cache would go on giving it when the service is well again.
 */
const NOT_TO_SET =
  /^(?:cache-control|connection|content-length|content-type|expires|keep-alive|te|trailer|transfer-encoding|upgrade|set-cookie|skerry-.*)$/;

const headers = z.record(
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/, "expected a header's name in lower case")
    .refine((name) => !NOT_TO_SET.test(name), "expected a header that is a fixed answer's to set"),
  z
    .string()
    .max(LIMITS.headerValueCharacters)
    .regex(/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/, "expected visible ASCII and blanks within"),
);

/** Statuses whose answers have no body (Fetch standard). */
const WITHOUT_BODY = [204, 205, 304];

const answer = z
  .strictObject({
    status: z.int().min(200).max(599).optional().describe("200 when absent."),
    headers: headers.optional().describe("Beside `Content-Type` and `Cache-Control: no-store`."),
    contentType: z
      .string()
      .max(256)
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/)
      .optional()
      .describe("`application/json` when absent."),
    body: z
      .string()
      .max(LIMITS.fallbackBodyCharacters)
      .optional()
      .describe("As it is sent; empty when absent."),
  })
  .refine(({ status = 200, body }) => !body || !WITHOUT_BODY.includes(status), {
    path: ["body"],
    message: "expected none with this status",
  });

const step = z.union([
  z.strictObject({
    cached: z.strictObject({
      maxStaleSeconds: z
        .int()
        .min(0)
        .max(LIMITS.cacheTtlSeconds)
        .optional()
        .describe("How long ago it may have become stale; 3600 when absent."),
    }),
  }),
  destinationSchema,
  z.strictObject({ answer }),
]);

export const fallbackSchema = z.strictObject({
  statuses: z
    .array(z.int().min(500).max(599))
    .max(20)
    .optional()
    .describe(
      "Answers that are not usable; never a 503 that is a problem document, for that is the service's own word.",
    ),
  methods: z
    .array(z.string().regex(/^[A-Z]{1,20}$/))
    .min(1)
    .max(10)
    .optional()
    .describe(
      "Of other methods' requests clients see the fault: nobody must believe that a change was made.",
    ),
  bodyBytesMax: z
    .int()
    .min(0)
    .max(LIMITS.requestBodyBytes)
    .optional()
    .describe("Requests with larger bodies go nowhere else."),
  steps: z
    .array(step)
    .min(1)
    .max(LIMITS.fallbackSteps)
    .describe(
      "In order: a stored answer (`cached`), somebody else (`service` or `url`), a fixed answer (`answer`).",
    ),
});

/** As it is written; see `FALLBACK_DEFAULTS` for what is not. */
export type WrittenFallback = z.infer<typeof fallbackSchema>;
export type FallbackStep = z.infer<typeof step>;
export type FixedAnswer = z.infer<typeof answer>;

export const FALLBACK_DEFAULTS = {
  statuses: [500, 502, 503, 504],
  methods: ["GET", "HEAD"],
  bodyBytesMax: 64 * 1024,
  maxStaleSeconds: 3_600,
} as const;
