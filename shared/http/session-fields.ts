/** How the gateway and the services behind it tell each other of a client's session. */
import { decodeBase64url, encodeBase64url } from "./base64url.ts";

/** On requests: the session's content. The gateway lets nobody else set it. */
export const SESSION_FIELD = "skerry-internal-session";

/** On answers: what the session's content is from now on; empty ends it. The gateway passes it to nobody. */
export const SET_SESSION_FIELD = "skerry-internal-set-session";

/** A JSON object; `sub` names who is signed in, `scopes` (a list of texts) what they may do, `tenant` whose they are. */
export type SessionContent = Readonly<Record<string, unknown>>;

/** The value of either field. */
export const sessionField = (content: SessionContent): string =>
  encodeBase64url(new TextEncoder().encode(JSON.stringify(content)));

/** Undefined for anything that {@link sessionField} would not have written, but for the JSON's own spelling. */
export const readSessionField = (field: string): SessionContent | undefined => {
  const bytes = decodeBase64url(field);
  if (!bytes) return undefined;
  try {
    const content: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
    );
    const isObject = typeof content === "object" && content !== null && !Array.isArray(content);
    return isObject ? (content as SessionContent) : undefined;
  } catch {
    return undefined;
  }
};

/** For services: the session of a request that came through the gateway; undefined when it has none. */
export const sessionIn = (headers: Headers): SessionContent | undefined => {
  const field = headers.get(SESSION_FIELD);
  return field === null ? undefined : readSessionField(field);
};
