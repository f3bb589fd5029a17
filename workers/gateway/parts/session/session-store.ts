/** Where sessions are kept: whole in the client's cookie, or under an id in the KeyValue store. */
import { readSessionField, type SessionContent, sessionField } from "#shared/http/session-fields.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { answerWithin } from "../rate-limit/answer-within.ts";
import type { OpenedSession, Session } from "./opened-session.ts";
import { openedSessions } from "./opened-sessions.ts";
import type { SessionKeyring } from "./session-keyring.ts";
import type { SessionSettings } from "./session-settings.ts";

/** Why a session was not kept. */
export type NotKept = "too_large" | "no_keys" | "store_away";

export type Found =
  | ({ readonly kind: "open" } & OpenedSession)
  /** Changed, of another place, expired, or by a key that is gone. */
  | { readonly kind: "foreign" }
  /** The store has nothing of it: revoked, or not seen here yet. */
  | { readonly kind: "absent" }
  /** The store could not be asked. */
  | { readonly kind: "away" };

/** Never rejects. Times are seconds since the Unix epoch. */
export interface SessionStore {
  /** @param text the cookie's value */
  find(text: string, now: number): Promise<Found>;
  /** The cookie's value from now on. */
  keep(session: Session, now: number): Promise<Result<string, NotKept>>;
  end(session: Session): Promise<boolean>;
}

const FOREIGN = { kind: "foreign" } as const;

/** The content is in the cookie. What was opened once is remembered. */
export const cookieSessions = (settings: SessionSettings, keyring: SessionKeyring): SessionStore => {
  const { name, ttlSeconds } = settings;
  const remembered = openedSessions();

  const opened = async (text: string): Promise<OpenedSession | undefined> => {
    if (name.length + text.length > LIMITS.cookieBytes) return undefined;
    const known = remembered.get(text);
    if (known) return known;
    const plain = await keyring.open(text);
    const session = plain && sessionOf(plain.text);
    if (!session) return undefined;
    const made = { session, field: sessionField(session.content), keyId: plain.keyId, tokens: new Map() };
    remembered.set(text, made);
    return made;
  };

  return {
    async find(text, now) {
      const found = await opened(text);
      const alive = found && now < found.session.expires && now < found.session.created + ttlSeconds;
      return alive ? { kind: "open", ...found } : FOREIGN;
    },
    async keep({ id, created, expires, content }) {
      if (keyring.firstId === undefined) return err("no_keys");
      const text = await keyring.seal(JSON.stringify([id, created, expires, content]));
      return name.length + text.length > LIMITS.cookieBytes ? err("too_large") : ok(text);
    },
    end: async () => true,
  };
};

/** The cookie holds the id, sealed; the content is in `store`, which may lag behind for a minute. */
export const storedSessions = (
  settings: SessionSettings,
  keyring: SessionKeyring,
  store: KeyValue,
  timer: Timer,
): SessionStore => {
  const inTime = <Answer>(ask: () => Promise<Answer>) =>
    answerWithin(async () => ({ said: await ask() }), LIMITS.sessionStoreMs, timer);
  const cookies = cookieSessions(settings, keyring);
  const keyOf = (id: string) => ["session", settings.group, id];

  return {
    async find(text, now) {
      const found = await cookies.find(text, now);
      if (found.kind !== "open") return found;
      const answered = await inTime(() => store.get(keyOf(found.session.id)));
      if (!answered) return { kind: "away" };
      const field = answered.said;
      const content = field === undefined ? undefined : readSessionField(field);
      if (field === undefined || !content) return { kind: "absent" };
      return { ...found, session: { ...found.session, content }, field };
    },
    async keep(session, now) {
      const field = sessionField(session.content);
      if (field.length > FIELD_CHARACTERS) return err("too_large");
      const text = await cookies.keep({ ...session, content: {} }, now);
      if (!text.ok) return text;
      const ttlSeconds = Math.max(STORED_SECONDS_MIN, session.expires - now);
      const put = () => store.put(keyOf(session.id), field, { ttlSeconds });
      return (await inTime(put)) ? text : err("store_away");
    },
    end: async (session) => (await inTime(() => store.remove(keyOf(session.id)))) !== undefined,
  };
};

/** For a route that asks for the store where there is none. */
export const noStore: SessionStore = {
  find: async () => ({ kind: "away" }),
  keep: async () => err("store_away"),
  end: async () => false,
};

/** Base64url makes four of three. */
const FIELD_CHARACTERS = Math.ceil((LIMITS.sessionBytes * 4) / 3);
/** The least that the KeyValue port takes. */
const STORED_SECONDS_MIN = 60;

/** What was sealed was written here; yet an earlier release may have written it otherwise. */
const sessionOf = (text: string): Session | undefined => {
  try {
    const [id, created, expires, content] = JSON.parse(text) as [unknown, unknown, unknown, unknown];
    const times = Number.isSafeInteger(created) && Number.isSafeInteger(expires);
    if (typeof id !== "string" || !times || typeof content !== "object" || content === null) return undefined;
    return { id, created: created as number, expires: expires as number, content: content as SessionContent };
  } catch {
    return undefined;
  }
};
