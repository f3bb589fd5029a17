/** Which origins' pages may read a route's answers: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

/** As browsers write it: lower case, no path, not the scheme's own port; `*.` stands for one label or more. */
const ORIGIN =
  /^(?!https:.*:443$|http:.*:80$)https?:\/\/(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?$/;
const TOKEN = /^(?!\*$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

const origin = () =>
  z
    .string()
    .regex(
      ORIGIN,
      'expected an origin as browsers write it: "https://shop.example", "https://*.shop.example"',
    );

/** A `*` among headers stands for all of them, and for no browser's when credentials go along; so it is a value of its own. */
const names = () => z.array(z.string().regex(TOKEN)).max(LIMITS.corsEntries);
const ANY = z.literal("*");

export const corsSchema = z
  .strictObject({
    origins: z
      .union([ANY, z.array(origin()).max(LIMITS.corsEntries)])
      .optional()
      .describe(
        'Whose pages: origins, `https://*.shop.example` for all below one, or `"*"` for everybody\'s.',
      ),
    methods: names().optional().describe("Methods that pages may use; GET, HEAD and POST they always may."),
    headers: z
      .union([ANY, names()])
      .optional()
      .describe('Request headers that pages may set; `"*"` is for all but `Authorization`.'),
    exposeHeaders: z
      .union([ANY, names()])
      .optional()
      .describe("Headers of the answer that pages may read beside the usual ones."),
    credentials: z
      .boolean()
      .optional()
      .describe("Whether cookies go along, and pages may read what comes of them."),
    maxAgeSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe("How long browsers remember a preflight's answer."),
  })
  .refine(({ credentials, ...rest }) => !(credentials && Object.values(rest).includes("*")), {
    message:
      'expected lists where credentials go along, not "*" (Fetch standard, CORS protocol and credentials)',
  });

export type WrittenCors = z.infer<typeof corsSchema>;
