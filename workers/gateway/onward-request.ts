/** What a service gets to see of a client's request. */
import { IDENTITY_HEADER } from "#shared/identity/identity-token.ts";
import type { HeaderEdit } from "./exchange.ts";

/** Meant for one connection (RFC 9110 section 7.6.1), whatever the client's `Connection` says. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers that only workers may set for each other. */
export const INTERNAL_PREFIX = "skerry-internal-";

export interface Onward {
  readonly request: Request;
  readonly requestId: string;
  /** In the place of the request's own. */
  readonly url?: string | undefined;
  /** In the place of the request's own. */
  readonly signal?: AbortSignal | undefined;
  /** Made last, so that they may set what clients may not. */
  readonly edits?: readonly HeaderEdit[] | undefined;
  /** The gateway's word for the caller, for services of the platform alone. No edit reaches it. */
  readonly identity?: string | undefined;
}

/**
 * The same request, body streamed, without the headers that are not the client's to pass on, and with its id.
 * Of all protocols that a client may ask to go on with, `websocket` alone is passed on.
 */
export const onwardRequest = ({ request, requestId, url, signal, edits, identity }: Onward): Request => {
  const onward = copyOf(request, url, signal);
  const { headers } = onward;
  let webSocket = false;
  for (const name of request.headers.keys()) {
    if (name === "upgrade") webSocket = headers.get(name)?.toLowerCase() === "websocket";
    if (HOP_BY_HOP.has(name) || name.startsWith(INTERNAL_PREFIX)) headers.delete(name);
  }
  const connection = request.headers.get("connection");
  if (connection !== null) removeNamedBy(connection, headers);
  if (webSocket) headers.set("upgrade", "websocket");
  headers.set("x-request-id", requestId);
  if (edits) edit(headers, edits);
  if (identity !== undefined) headers.set(IDENTITY_HEADER, identity);
  return onward;
};

const copyOf = (request: Request, url: string | undefined, signal: AbortSignal | undefined): Request => {
  if (url === undefined) return signal ? new Request(request, { signal }) : new Request(request);
  const elsewhere = new Request(url, request);
  return signal ? new Request(elsewhere, { signal }) : elsewhere;
};

/** Makes the changes in their order. */
export const edit = (headers: Headers, edits: readonly HeaderEdit[]): void => {
  for (const { kind, name, value } of edits) {
    if (kind === "remove") headers.delete(name);
    else headers[kind](name, value);
  }
};

const removeNamedBy = (connection: string, headers: Headers): void => {
  for (const token of connection.split(",")) {
    const name = token.trim();
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !name.toLowerCase().startsWith("content-"))
      headers.delete(name);
  }
};
