/** Sessions in a cookie, and their protection from other sites' pages: the form in which operators say it. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
/** Browsers take a cookie of this prefix only with `Secure`, `Path=/` and no `Domain` (RFC 6265bis section 4.1.3.2). */
const cookieName = () =>
  z
    .string()
    .regex(new RegExp(`^__Host-${TOKEN}{1,64}$`), 'expected a cookie\'s name that begins with "__Host-"');

const key = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/)
    .describe("Stands in each cookie that the key has sealed."),
  key: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, "expected the base64 of 32 bytes")
    .meta({ secret: true, description: "32 random bytes in base64, as a secret." }),
});

const csrf = z.strictObject({
  cookie: cookieName().optional().describe("The cookie that pages of the site read the token from."),
  header: z
    .string()
    .regex(new RegExp(`^${TOKEN}{1,64}$`))
    .optional()
    .describe("The header that they send it back in."),
  trustedOrigins: z
    .array(z.string().regex(/^https?:\/\/[a-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?$/))
    .max(LIMITS.corsEntries)
    .optional()
    .describe("Other origins whose pages may send such requests; they need the token, too."),
});

export const sessionSchema = z.strictObject({
  keys: z
    .array(key)
    .max(LIMITS.sealingKeys)
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, {
      message: "expected different ids",
    })
    .optional()
    .describe("The first seals, all open. Without any there are no sessions."),
  name: cookieName().optional().describe("The cookie's name."),
  group: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/)
    .optional()
    .describe("Routes of one group have the same sessions; those of another need another `name`, too."),
  ttlSeconds: z
    .int()
    .min(60)
    .max(LIMITS.sessionSeconds)
    .optional()
    .describe("A session ends this long after it began."),
  idleSeconds: z
    .int()
    .min(60)
    .max(LIMITS.sessionSeconds)
    .optional()
    .describe("It ends sooner when it was not used for this long."),
  sameSite: z
    .enum(["strict", "lax", "none"])
    .optional()
    .describe("`SameSite` of both cookies; `none` where pages of other sites are to send them."),
  store: z
    .enum(["cookie", "kv"])
    .optional()
    .describe("Where the content is: in the cookie, or in the KeyValue store, where it can be revoked."),
  authenticates: z
    .boolean()
    .optional()
    .describe("Whether the session's `sub` and `scopes` say who calls, where nothing else does."),
  csrf: z
    .union([z.literal(false), csrf])
    .optional()
    .describe("Keeps pages of other sites from using a client's session; on by default."),
});

export type WrittenSession = z.infer<typeof sessionSchema>;
