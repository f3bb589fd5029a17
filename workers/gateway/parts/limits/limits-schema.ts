/** How large requests on a route may be: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

export const limitsSchema = z.strictObject({
  bodyBytes: z
    .int()
    .min(0)
    .max(LIMITS.routeBodyBytes)
    .optional()
    .describe("Larger bodies are refused, or cut off where a client does not say how large they are: 413."),
  headerBytes: z
    .int()
    .min(1)
    .max(LIMITS.requestHeaderBytes)
    .optional()
    .describe("Of all header fields together, as HTTP/1.1 sends them; more are refused: 431."),
  headerCount: z
    .int()
    .min(1)
    .max(LIMITS.requestHeaderFields)
    .optional()
    .describe("Header fields of different names; more are refused: 431."),
});

/** As it is written; see `LIMITS_DEFAULTS` for what is not. */
export type WrittenLimits = z.infer<typeof limitsSchema>;

export const LIMITS_DEFAULTS = {
  bodyBytes: LIMITS.requestBodyBytes,
  headerBytes: LIMITS.requestHeaderBytes,
  headerCount: LIMITS.requestHeaderFields,
} as const;
