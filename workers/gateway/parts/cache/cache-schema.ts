/** What of a route's answers is kept, and for how long: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

const seconds = () => z.int().min(0).max(LIMITS.cacheTtlSeconds);
const parameters = () => z.array(z.string().min(1).max(128)).max(100);

/** Their values are kept in memory beside the answers. */
const SECRET = /^(authorization|proxy-authorization|cookie|skerry-internal-.*)$/i;

const headerName = () =>
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
    .refine((name) => !SECRET.test(name), "expected a header that holds no secret");

const query = z.union([
  z.strictObject({ include: parameters().describe("Only these tell answers apart.") }),
  z.strictObject({ ignore: parameters().describe("All but these tell answers apart.") }),
]);

export const cacheSchema = z.strictObject({
  ttlSeconds: seconds()
    .optional()
    .describe("How long an answer is fresh that says nothing of it; without this it is not kept as fresh."),
  heuristicShare: z
    .number()
    .min(0)
    .max(0.5)
    .optional()
    .describe(
      "Where `ttlSeconds` is not written: fresh for this share of the time since `Last-Modified`, a day at most.",
    ),
  bytesMax: z
    .int()
    .min(0)
    .max(LIMITS.cacheBytes)
    .optional()
    .describe("Memory for stored answers, in each isolate; those used least lately make room."),
  entryBytesMax: z
    .int()
    .min(0)
    .max(LIMITS.cacheEntryBytes)
    .optional()
    .describe("Larger bodies stream through and are not stored."),
  varyMax: z
    .int()
    .min(1)
    .max(LIMITS.cacheVariants)
    .optional()
    .describe("Answers to one address that differ by `Vary`."),
  staleWhileRevalidateSeconds: seconds()
    .optional()
    .describe("How long a stale answer is given while a newer one is fetched, where it does not say itself."),
  staleIfErrorSeconds: seconds()
    .optional()
    .describe(
      "How long a stale answer is given in the place of a 500, 502, 503 or 504, where it does not say itself.",
    ),
  coalesce: z.boolean().optional().describe("Of equal requests at once in an isolate, one is sent."),
  methods: z
    .array(z.enum(["GET", "HEAD"]))
    .min(1)
    .max(2)
    .optional()
    .describe("What is answered from the store; only answers to GET are put there."),
  by: z
    .strictObject({
      query: query
        .optional()
        .describe(
          "Which query parameters tell answers apart: `include` or `ignore`, a `*` at the end for any.",
        ),
      headers: z
        .array(headerName())
        .max(10)
        .optional()
        .describe("Request headers that tell answers apart, as if each answer's `Vary` named them."),
    })
    .optional()
    .describe("What tells answers apart beside `Vary`; the whole address when absent."),
  cookies: z
    .enum(["careful", "ignore"])
    .optional()
    .describe(
      "`careful`: a request with cookies shares only answers that say `public`; `ignore`: cookies mean nothing.",
    ),
  setCookie: z
    .enum(["skip", "strip"])
    .optional()
    .describe("An answer that sets cookies is not stored (`skip`), or is stored without them (`strip`)."),
  tier: z
    .enum(["isolate", "location"])
    .optional()
    .describe("`location`: what an isolate does not have is looked for in the location's cache, too."),
});

/** As it is written; see `CACHE_DEFAULTS` for what is not. */
export type WrittenCache = z.infer<typeof cacheSchema>;
