/** Which answers are compressed on their way out: the form in which operators say it. */
import * as z from "zod";

export const compressionSchema = z.strictObject({
  encodings: z
    .array(z.enum(["br", "gzip"]))
    .min(1)
    .max(2)
    .optional()
    .describe("Content codings in the order in which they are preferred where the client has no preference."),
  minimumBytes: z
    .int()
    .min(0)
    .max(10_000_000)
    .optional()
    .describe("An answer whose length is known to be smaller stays as it is."),
});

export type WrittenCompression = z.infer<typeof compressionSchema>;
