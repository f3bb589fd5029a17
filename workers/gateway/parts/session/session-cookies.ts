/** The `Set-Cookie` lines of a session and of its CSRF token (RFC 6265bis section 4.1). */
import { cookieOf } from "../../cookies.ts";
import type { Csrf } from "./csrf.ts";
import type { OpenedSession, Session } from "./opened-session.ts";
import type { SessionSettings } from "./session-settings.ts";

/** Times are seconds since the Unix epoch. */
export interface SessionCookies {
  /** @param text the session's cookie */
  set(session: Session, text: string, now: number): Promise<readonly string[]>;
  /** The token's, where the client has not the one that it should have. */
  missing(request: Request, opened: OpenedSession, now: number): Promise<readonly string[]>;
  ended(): readonly string[];
}

const SAME_SITE = { strict: "Strict", lax: "Lax", none: "None" } as const;

export const sessionCookies = (settings: SessionSettings, protection: Csrf | undefined): SessionCookies => {
  const { name, csrf } = settings;
  const common = `Path=/; Secure; SameSite=${SAME_SITE[settings.sameSite]}`;
  const sessionLine = (text: string, seconds: number) =>
    `${name}=${text}; Max-Age=${seconds}; HttpOnly; ${common}`;
  /** Pages read it, so it is not `HttpOnly`. */
  const tokenLine = (token: string, seconds: number) =>
    csrf ? [`${csrf.cookie}=${token}; Max-Age=${seconds}; ${common}`] : [];
  const endedLines = [sessionLine("", 0), ...tokenLine("", 0)];

  return {
    async set(session, text, now) {
      const seconds = session.expires - now;
      const token = await protection?.tokenOf({ session, tokens: new Map() });
      return [sessionLine(text, seconds), ...(token === undefined ? [] : tokenLine(token, seconds))];
    },
    async missing(request, opened, now) {
      const token = await protection?.tokenOf(opened);
      if (!csrf || token === undefined) return [];
      const has = cookieOf(request.headers.get("cookie") ?? "", csrf.cookie);
      return has === token ? [] : tokenLine(token, opened.session.expires - now);
    },
    ended: () => endedLines,
  };
};
