/** Whether requests and answers are held to the service's OpenAPI document: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

export const validationSchema = z.strictObject({
  requests: z
    .union([z.enum(["refuse", "report"]), z.literal(false)])
    .optional()
    .describe(
      "What becomes of a request that the document does not allow: refused, or passed on and noted in its trace.",
    ),
  answers: z
    .union([z.enum(["refuse", "report"]), z.literal(false)])
    .optional()
    .describe("The same for answers, each of which is then held until it is whole: for development."),
  bodyBytesMax: z
    .int()
    .min(0)
    .max(LIMITS.validatedBodyBytes)
    .optional()
    .describe("Larger bodies stream on without being looked at."),
  unknownQuery: z
    .enum(["allow", "refuse"])
    .optional()
    .describe("What becomes of query parameters that the document does not name."),
});

/** As it is written. */
export type WrittenValidation = z.infer<typeof validationSchema>;
