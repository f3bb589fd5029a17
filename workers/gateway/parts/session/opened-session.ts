/** A session as the gateway knows it while it handles one request. */
import type { SessionContent } from "#shared/http/session-fields.ts";

export interface Session {
  /** 128 random bits, base64url: what CSRF tokens are bound to. A new one when somebody else signs in. */
  readonly id: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  /** Seconds since the Unix epoch. */
  readonly expires: number;
  readonly content: SessionContent;
}

export interface OpenedSession {
  readonly session: Session;
  /** The content as services get it. */
  readonly field: string;
  /** The key that sealed the cookie. */
  readonly keyId: string;
  /** CSRF tokens that were computed for it, by the key's id. */
  readonly tokens: Map<string, string>;
}
