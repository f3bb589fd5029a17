/** A share of the requests that somebody else gets, too: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";
import { destinationSchema } from "../fallback/destination-schema.ts";

export const mirrorSchema = z.strictObject({
  to: destinationSchema.describe("Whose answers nobody gets to see."),
  percentage: z.number().min(0).max(100).optional().describe("Of the requests, drawn for each."),
  bodyBytesMax: z
    .int()
    .min(0)
    .max(LIMITS.requestBodyBytes)
    .optional()
    .describe("Requests with larger bodies are not mirrored."),
  atOnce: z
    .int()
    .min(1)
    .max(LIMITS.mirroredAtOnce)
    .optional()
    .describe("Mirrored requests under way at once in each isolate; further ones are not mirrored."),
  withinMs: z.int().min(1).max(LIMITS.mirrorMs).optional().describe("Given up after this."),
});

/** As it is written; see `MIRROR_DEFAULTS` for what is not. */
export type WrittenMirror = z.infer<typeof mirrorSchema>;

export const MIRROR_DEFAULTS = {
  percentage: 100,
  bodyBytesMax: 64 * 1024,
  atOnce: 10,
  withinMs: 10_000,
} as const;
