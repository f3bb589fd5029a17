/** Which headers a route changes on the way in and out: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

/** They frame the message, belong to one connection (RFC 9110 section 7.6.1), or are the gateway's own word. */
const NOT_TO_EDIT = [
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "skerry-internal-.*",
];

/** A pattern alone, so that it is known wherever the schema is. */
const NAME = new RegExp(`^(?!(?:${NOT_TO_EDIT.join("|")})$)[!#$%&'*+.^_\`|~0-9a-z-]{1,128}$`);

const name = () =>
  z
    .string()
    .regex(NAME, "expected a header in lower case, not for one connection, framing the message or internal");

const value = () =>
  z
    .string()
    .regex(/^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/, "expected visible ASCII and blanks within")
    .max(LIMITS.headerValueCharacters);

const values = () =>
  z.record(name(), value()).refine((all) => Object.keys(all).length <= LIMITS.headerEdits, {
    message: `expected at most ${LIMITS.headerEdits} headers`,
  });

const edits = () =>
  z.strictObject({
    remove: z.array(name()).max(LIMITS.headerEdits).optional().describe("Taken away first."),
    set: values()
      .optional()
      .describe(
        "Put in the place of what was there; `{name}` in a value is the route's parameter, percent-encoded.",
      ),
    append: values().optional().describe("Added to what was there; `{name}` as in `set`."),
  });

export const headerEditsSchema = z.strictObject({
  request: edits().optional().describe("What the service gets."),
  answer: edits().optional().describe("What the client gets, after all other parts."),
});

export type WrittenHeaderEdits = z.infer<typeof headerEditsSchema>;
