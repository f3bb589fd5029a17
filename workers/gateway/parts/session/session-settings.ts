/** What is in force for a route's sessions: what is written, and defaults. */
import type { WrittenSession } from "./session-schema.ts";

export const SESSION_DEFAULTS = {
  keys: [],
  name: "__Host-skerry-session",
  group: "default",
  ttlSeconds: 43_200,
  idleSeconds: 3_600,
  sameSite: "lax",
  store: "cookie",
  authenticates: false,
} as const satisfies WrittenSession;

export const CSRF_DEFAULTS = {
  cookie: "__Host-skerry-csrf",
  header: "x-csrf-token",
  trustedOrigins: [],
} as const satisfies WrittenSession["csrf"];

type Whole<Written> = { readonly [Field in keyof Written]-?: Exclude<Written[Field], undefined> };

export type CsrfSettings = Whole<Exclude<WrittenSession["csrf"], false | undefined>>;
export type SessionSettings = Whole<Omit<WrittenSession, "csrf">> & { readonly csrf: CsrfSettings | false };

export const sessionSettings = (written: WrittenSession): SessionSettings => ({
  ...over<Omit<SessionSettings, "csrf">>(SESSION_DEFAULTS, written),
  csrf: written.csrf === false ? false : over<CsrfSettings>(CSRF_DEFAULTS, written.csrf ?? {}),
});

/** A field that is `undefined` says nothing. */
const over = <Settings extends object>(defaults: Settings, written: object): Settings => ({
  ...defaults,
  ...Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined)),
});
