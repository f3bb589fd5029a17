/**
 * Keeps pages of other sites from using a client's session: the origin first, then a signed double submit, where a page of
 * the site proves that it can read the site's cookies.
 */
import { cookieOf } from "../../cookies.ts";
import { type Exchange, refusal } from "../../exchange.ts";
import type { OpenedSession } from "./opened-session.ts";
import type { SessionKeyring } from "./session-keyring.ts";
import type { CsrfSettings } from "./session-settings.ts";

export interface Csrf {
  /** The refusal, or undefined for what may go on. Only for requests that have a session. */
  check(exchange: Exchange, opened: OpenedSession): Promise<Response | undefined>;
  /** The session's token by the first key; undefined where there is none. */
  tokenOf(opened: Pick<OpenedSession, "session" | "tokens">): Promise<string | undefined>;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export const csrf = (settings: CsrfSettings, keyring: SessionKeyring): Csrf => {
  const trusted = new Set<string>(settings.trustedOrigins);

  const signed = async (
    { session, tokens }: Pick<OpenedSession, "session" | "tokens">,
    keyId: string,
  ): Promise<string | undefined> => {
    const known = tokens.get(keyId);
    if (known !== undefined) return known;
    const token = await keyring.sign(session.id, keyId);
    if (token !== undefined) tokens.set(keyId, token);
    return token;
  };

  const proves = async (request: Request, opened: OpenedSession): Promise<boolean> => {
    const sent = request.headers.get(settings.header);
    const cookie = cookieOf(request.headers.get("cookie") ?? "", settings.cookie);
    if (sent === null || cookie === undefined || !isEqual(sent, cookie)) return false;
    const expected = await signed(opened, sent.slice(0, Math.max(0, sent.indexOf("."))));
    return expected !== undefined && isEqual(sent, expected);
  };

  return {
    async check(exchange, opened) {
      const { request } = exchange;
      // Browsers let every page open a WebSocket anywhere, and no page set a header on it.
      const opensSocket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
      if (SAFE.has(request.method) && !opensSocket) return undefined;
      const from = foreignOrigin(request, trusted);
      if (from !== undefined) {
        const detail = `Using a session from ${JSON.stringify(from.slice(0, 200))}: expected a page of this site.`;
        return refusal(exchange, "csrf_mismatch", detail);
      }
      if (opensSocket || (await proves(request, opened))) return undefined;
      const expected = `expected "${settings.header}" to be what the cookie "${settings.cookie}" says`;
      return refusal(exchange, "csrf_mismatch", `Calling ${request.method} with a session: ${expected}.`);
    },
    tokenOf: (opened) =>
      keyring.firstId === undefined ? Promise.resolve(undefined) : signed(opened, keyring.firstId),
  };
};

/** Who sends it, where that is known to be another site's page. Old browsers and programs say nothing of it. */
const foreignOrigin = (request: Request, trusted: ReadonlySet<string>): string | undefined => {
  const origin = request.headers.get("origin");
  if (origin !== null && trusted.has(origin)) return undefined;
  if (request.headers.get("sec-fetch-site") === "cross-site") return origin ?? "cross-site";
  return origin === null || isOwn(origin, request) ? undefined : origin;
};

/** Where something before the gateway speaks TLS, the request comes without. */
const isOwn = (origin: string, request: Request): boolean => {
  const url = new URL(request.url);
  return origin === url.origin || origin === `https://${url.host}`;
};

/** Takes as long wherever they differ. */
const isEqual = (left: string, right: string): boolean => {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let at = 0; at < left.length; at++) difference |= left.charCodeAt(at) ^ right.charCodeAt(at);
  return difference === 0;
};
