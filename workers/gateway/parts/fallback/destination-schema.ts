/** Where a request goes beside its route's own destination: the form in which operators say it. */
import * as z from "zod";

const path = () =>
  z
    .string()
    .max(2_048)
    .regex(/^\/[^\s?#\\]*$/)
    .optional()
    .describe("In the place of the request's own; its query goes along.");

export const destinationSchema = z.union([
  z.strictObject({
    service: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[^/\s]+$/)
      .describe("A service of the registry."),
    major: z.int().min(0).max(999_999_999).optional().describe("Its newest when absent."),
    path: path(),
  }),
  z.strictObject({
    url: z
      .string()
      .max(2_048)
      .regex(/^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$/)
      .refine(URL.canParse, "expected a URL")
      .describe("http or https; the path is put behind it."),
    path: path(),
  }),
]);

export type Destination = z.infer<typeof destinationSchema>;
