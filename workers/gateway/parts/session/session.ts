/** Gives a client's session to the service and takes it back: nothing of it is kept here. */
import { trace } from "@opentelemetry/api";
import { isTenant } from "#shared/events/tenant-id.ts";
import { encodeBase64url } from "#shared/http/base64url.ts";
import {
  readSessionField,
  SESSION_FIELD,
  SET_SESSION_FIELD,
  type SessionContent,
} from "#shared/http/session-fields.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { cookieOf, cookiesWithout } from "../../cookies.ts";
import { type Exchange, editAnswer, editOnward, type Part, refusal } from "../../exchange.ts";
import { csrf } from "./csrf.ts";
import type { OpenedSession, Session } from "./opened-session.ts";
import { type SessionCookies, sessionCookies } from "./session-cookies.ts";
import { sessionKeyring } from "./session-keyring.ts";
import type { WrittenSession } from "./session-schema.ts";
import { type SessionSettings, sessionSettings } from "./session-settings.ts";
import { cookieSessions, noStore, type SessionStore, storedSessions } from "./session-store.ts";

export interface SessionOptions {
  readonly clock: Clock;
  readonly timer: Timer;
  /** For routes that say `store: "kv"`: without it their sessions cannot be read. */
  readonly store?: KeyValue | undefined;
}

interface Kept {
  readonly settings: SessionSettings;
  readonly store: SessionStore;
  readonly cookies: SessionCookies;
  readonly firstKey: string | undefined;
}

export const session = (written: WrittenSession, { clock, timer, store: keyValue }: SessionOptions): Part => {
  const settings = sessionSettings(written);
  const keyring = sessionKeyring(settings);
  const store = storeOf(settings, keyring, { keyValue, timer });
  const protection = settings.csrf ? csrf(settings.csrf, keyring) : undefined;
  const cookies = sessionCookies(settings, protection);
  const kept: Kept = { settings, store, cookies, firstKey: keyring.firstId };
  const seconds = () => Math.floor(clock() / 1_000);

  return (next) =>
    async function session(exchange) {
      const text = cookieOf(exchange.request.headers.get("cookie") ?? "", settings.name);
      if (text !== undefined) hideCookie(exchange, settings.name);
      const found = text === undefined ? undefined : await store.find(text, seconds());
      if (found?.kind === "away")
        return refusal(exchange, "unavailable", "Reading the session: the store of sessions did not answer.");
      const opened = found?.kind === "open" ? found : undefined;
      if (opened) {
        const refused = await protection?.check(exchange, opened);
        if (refused) return refused;
        editOnward(exchange, { kind: "set", name: SESSION_FIELD, value: opened.field });
        if (settings.authenticates) nameCaller(exchange, opened.session.content);
      }
      const answer = await next(exchange);
      if (answer.status === SWITCHING_PROTOCOLS) return answer;
      const lines = await cookieLines(exchange, { answer, opened, found, now: seconds() }, kept);
      if (lines.length > 0) leave(exchange, answer, lines);
      return answer;
    };
};

const SWITCHING_PROTOCOLS = 101;
const ID_BYTES = 16;

const storeOf = (
  settings: SessionSettings,
  keyring: ReturnType<typeof sessionKeyring>,
  { keyValue, timer }: { readonly keyValue: KeyValue | undefined; readonly timer: Timer },
): SessionStore => {
  if (settings.store === "cookie") return cookieSessions(settings, keyring);
  return keyValue ? storedSessions(settings, keyring, keyValue, timer) : noStore;
};

/** What a service does not see it cannot log. */
const hideCookie = (exchange: Exchange, name: string): void => {
  const others = cookiesWithout(exchange.request.headers.get("cookie") ?? "", name);
  const kind = others === undefined ? "remove" : "set";
  editOnward(exchange, { kind, name: "cookie", value: others ?? "" });
};

const nameCaller = (exchange: Exchange, { sub, scopes, tenant }: SessionContent): void => {
  if (exchange.caller && exchange.caller.by !== "none") return;
  if (typeof sub !== "string" || sub === "") return;
  // As with a token: who is somebody's, but not said whose, is not taken for nobody's, who may operate services.
  if (tenant !== undefined && !isTenant(tenant)) return;
  const texts = Array.isArray(scopes) ? scopes.filter((each) => typeof each === "string") : [];
  const whose = tenant !== undefined && { tenant };
  exchange.caller = { subject: sub, scopes: texts, by: "session", ...whose };
};

interface Answered {
  readonly answer: Response;
  readonly opened: OpenedSession | undefined;
  readonly found: { readonly kind: "open" | "foreign" | "absent" } | undefined;
  /** Seconds since the Unix epoch. */
  readonly now: number;
}

/** What the service asks for, else what is due: a new end, a newer key, or the end of what is no session. */
const cookieLines = async (
  exchange: Exchange,
  answered: Answered,
  kept: Kept,
): Promise<readonly string[]> => {
  const { answer, opened, found, now } = answered;
  const { cookies, settings, firstKey } = kept;
  const said = answer.headers.get(SET_SESSION_FIELD);
  if (said !== null) {
    editAnswer(exchange, { kind: "remove", name: SET_SESSION_FIELD, value: "" });
    if (said === "") return ended(answered, kept);
    const content = readSessionField(said);
    if (content) return replaced(content, answered, kept);
    notKept("malformed");
  }
  if (opened) {
    const { created } = opened.session;
    const due = expiry(created, now, settings) - opened.session.expires >= settings.idleSeconds / RENEWALS;
    if (!due && opened.keyId === firstKey) return cookies.missing(exchange.request, opened, now);
    return keep({ ...opened.session, expires: expiry(created, now, settings) }, answered, kept);
  }
  return found?.kind === "foreign" && firstKey !== undefined ? cookies.ended() : [];
};

/** Using a session puts off its end this many times in its idle time at most: answers mostly set no cookie. */
const RENEWALS = 10;

const expiry = (created: number, now: number, { ttlSeconds, idleSeconds }: SessionSettings): number =>
  Math.min(created + ttlSeconds, now + idleSeconds);

const ended = async ({ opened, found }: Answered, { store, cookies }: Kept): Promise<readonly string[]> => {
  if (opened && !(await store.end(opened.session))) notKept("store_away");
  return found ? cookies.ended() : [];
};

/** Who signs in gets a session of a new name: tokens from before are worth nothing in it. */
const replaced = async (
  content: SessionContent,
  answered: Answered,
  kept: Kept,
): Promise<readonly string[]> => {
  const { opened, now } = answered;
  const before = opened?.session;
  if (before && isSameClient(before.content, content))
    return keep({ ...before, content, expires: expiry(before.created, now, kept.settings) }, answered, kept);
  const id = encodeBase64url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
  const lines = await keep(
    { id, created: now, expires: expiry(now, now, kept.settings), content },
    answered,
    kept,
  );
  if (before && lines.length > 0 && !(await kept.store.end(before))) notKept("store_away");
  return lines;
};

/** Tenants may have users of the same name. */
const isSameClient = (before: SessionContent, now: SessionContent): boolean =>
  before.sub === now.sub && before.tenant === now.tenant;

/** A session that cannot be kept leaves the one before as it is: the service has done its work, and its answer goes out. */
const keep = async (
  session: Session,
  { now }: Answered,
  { store, cookies }: Kept,
): Promise<readonly string[]> => {
  const text = await store.keep(session, now);
  if (text.ok) return cookies.set(session, text.value, now);
  notKept(text.error);
  return [];
};

const notKept = (reason: string): void => {
  trace.getActiveSpan()?.addEvent("skerry.session.not_kept", { "skerry.session.reason": reason });
};

/** An answer that sets somebody's session is nobody else's. */
const leave = (exchange: Exchange, answer: Response, lines: readonly string[]): void => {
  for (const value of lines) editAnswer(exchange, { kind: "append", name: "set-cookie", value });
  const said = answer.headers.get("cache-control") ?? "";
  if (!/(?:^|[,\s])(?:no-store|private)(?:$|[,\s])/i.test(said))
    editAnswer(exchange, { kind: "set", name: "cache-control", value: "no-store" });
};
