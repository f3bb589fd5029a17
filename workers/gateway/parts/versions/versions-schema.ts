/** How a request says which version it wants, beside the path: the form in which operators say it. */
import * as z from "zod";

const OFF = z.literal(false);

export const versionsSchema = z.strictObject({
  header: z
    .union([OFF, z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)])
    .optional()
    .describe("The header that asks for a major version or a version at least: `1`, `1.4`."),
  mediaType: z
    .union([OFF, z.string().regex(/^(?![qQ]$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/)])
    .optional()
    .describe("The parameter of JSON media types in `Accept` that asks for the same."),
  default: z
    .union([OFF, z.enum(["newest", "oldest"]), z.int().min(0).max(999_999_999)])
    .optional()
    .describe("The major version of a request that names none; `false`: there is no such address."),
});

/** As it is written; see `VERSIONS_DEFAULTS` for what is not. */
export type WrittenVersions = z.infer<typeof versionsSchema>;

export const VERSIONS_DEFAULTS = {
  header: "skerry-version",
  mediaType: "version",
  default: false,
} as const satisfies WrittenVersions;
