/** What browsers are told to refuse by themselves: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

const OFF = z.literal(false);
const value = () =>
  z
    .string()
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/)
    .max(LIMITS.headerValueCharacters);

export const securityHeadersSchema = z.strictObject({
  strictTransportSecurity: z
    .union([OFF, value()])
    .optional()
    .describe("`Strict-Transport-Security`, over https only (RFC 6797 section 7.2)."),
  contentTypeOptions: z
    .union([OFF, z.literal("nosniff")])
    .optional()
    .describe("`X-Content-Type-Options`."),
  referrerPolicy: z
    .union([
      OFF,
      z.enum([
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
      ]),
    ])
    .optional()
    .describe("`Referrer-Policy`."),
  crossOriginOpenerPolicy: z
    .union([OFF, z.enum(["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none"])])
    .optional()
    .describe("`Cross-Origin-Opener-Policy`."),
  crossOriginResourcePolicy: z
    .union([OFF, z.enum(["same-origin", "same-site", "cross-origin"])])
    .optional()
    .describe("`Cross-Origin-Resource-Policy`: who may embed the answer without CORS."),
  permissionsPolicy: z.union([OFF, value()]).optional().describe("`Permissions-Policy`."),
  contentSecurityPolicy: z
    .union([OFF, value()])
    .optional()
    .describe("`Content-Security-Policy`; `frame-ancestors` in it does what `X-Frame-Options` did."),
});

export type WrittenSecurityHeaders = z.infer<typeof securityHeadersSchema>;
