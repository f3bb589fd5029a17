/**
 * The fields of a request as it came, read once. Every look into a `Headers` leaves JavaScript and costs about as much as
 * reading a field here, and a request is asked for a dozen before it is sent on.
 */

export interface RequestFields {
  /** @param name lower case; values of one name joined as `Headers` does */
  get(name: string): string | null;
  has(name: string): boolean;
  /** Different names. */
  readonly fields: number;
  /** As HTTP/1.1 sends them: names, values, and four bytes to part and end each. */
  readonly bytes: number;
  /** Those that are not the client's to pass on. */
  readonly dropped: readonly string[];
  /** Whether the client wants to go on with a WebSocket: of all protocols, it alone is passed on. */
  readonly webSocket: boolean;
}

/** Meant for one connection (RFC 9110 section 7.6.1), whatever the client's `Connection` says. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
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

const NONE: readonly string[] = [];

export const readFields = (headers: Headers): RequestFields => {
  const values = new Map<string, string>();
  let bytes = 0;
  let dropped: string[] | undefined;
  // Iterators cost a fifth more.
  headers.forEach((value, name) => {
    values.set(name, value);
    bytes += name.length + value.length + 4;
    if (!HOP_BY_HOP.has(name) && !name.startsWith(INTERNAL_PREFIX)) return;
    dropped ??= [];
    dropped.push(name);
    if (name === "connection") dropped.push(...namedBy(value));
  });
  return {
    get: (name) => values.get(name) ?? null,
    has: (name) => values.has(name),
    fields: values.size,
    bytes,
    dropped: dropped ?? NONE,
    webSocket: dropped !== undefined && values.get("upgrade")?.toLowerCase() === "websocket",
  };
};

/** By these others know what a body is and where a request comes from: nobody may take them away. */
const FOR_ALL = /^(?:content-.*|cf-.*|x-forwarded-.*|forwarded|host)$/;

/** The fields that a `Connection` names, in lower case. */
export const namedBy = (connection: string): string[] =>
  connection
    .split(",")
    .map((token) => token.trim().toLowerCase())
    .filter((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !FOR_ALL.test(name));
