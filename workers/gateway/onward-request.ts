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

/** What one walk through the fields of a request finds. */
export interface HeaderWalk {
  /** Different names. */
  readonly fields: number;
  /** As HTTP/1.1 sends them: names, values, and four bytes to part and end each. */
  readonly bytes: number;
  /** Those that are not the client's to pass on. */
  readonly dropped: readonly string[];
  /** Whether the client wants to go on with a WebSocket: of all protocols, it alone is passed on. */
  readonly webSocket: boolean;
}

/** Of requests as they came, for the moment between their being let in and their being sent on: walking is dear. */
const walks = new WeakMap<Request, HeaderWalk>();

/** For what came from outside: its fields do not change any more. */
export const walkOnce = (request: Request): HeaderWalk => {
  const known = walks.get(request);
  if (known) return known;
  const walk = walkThrough(request.headers);
  walks.set(request, walk);
  return walk;
};

const NONE: readonly string[] = [];

const walkThrough = (headers: Headers): HeaderWalk => {
  let fields = 0;
  let bytes = 0;
  let dropped: string[] | undefined;
  let webSocket = false;
  // Iterators cost a fifth more.
  headers.forEach((value, name) => {
    fields++;
    bytes += name.length + value.length + 4;
    if (!HOP_BY_HOP.has(name) && !name.startsWith(INTERNAL_PREFIX)) return;
    dropped ??= [];
    dropped.push(name);
    if (name === "upgrade") webSocket = value.toLowerCase() === "websocket";
    if (name === "connection") dropped.push(...namedBy(value));
  });
  return { fields, bytes, dropped: dropped ?? NONE, webSocket };
};

/** By these services know what a body is and where a request comes from: no client may take them away. */
const FOR_ALL = /^(?:content-.*|cf-.*|x-forwarded-.*|forwarded|host)$/;

const namedBy = (connection: string): string[] =>
  connection
    .split(",")
    .map((token) => token.trim().toLowerCase())
    .filter((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !FOR_ALL.test(name));

/** The same request, body streamed, without the headers that are not the client's to pass on, and with its id. */
export const onwardRequest = ({ request, requestId, url, signal, edits, identity }: Onward): Request => {
  const onward = copyOf(request, url, signal);
  const { headers } = onward;
  const { dropped, webSocket } = walks.get(request) ?? walkThrough(request.headers);
  for (const name of dropped) headers.delete(name);
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
