/** Requests as nobody should send them, from a seed: targets, header fields and bodies that are wrong in all ways at once. */
import fc from "fast-check";

/** What one connection sends, and how. */
export interface HostileConnection {
  readonly requests: readonly HostileRequest[];
  /** Sent in so many pieces, with a moment between them. */
  readonly pieces: number;
  /** The last bytes that are never sent. */
  readonly withheld: number;
  /** Breaks the connection in the place of ending it. */
  readonly breaks: boolean;
}

export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly string[];
  readonly body: string;
  /** Ends lines. */
  readonly newline: string;
}

/** In a request this stands for its own mark. */
export const MARK = "{mark}";

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((octets) => Buffer.from(octets).toString("latin1"));
const sometimes = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 3) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });

const ECHO = "/wire/v1/mirror";

const target = sometimes(
  fc.constantFrom(`${ECHO}?${MARK}`, `${ECHO}/${MARK}`, `${ECHO}?a=${MARK}&b=%zz`, `${ECHO}?${MARK}#f`),
  fc.oneof(
    fc.constantFrom(
      "*",
      "",
      "//",
      `//${MARK}/x`,
      `http://other.example${ECHO}?${MARK}`,
      `ftp://${MARK}@other.example:99999/`,
      `${ECHO}/../../control/v1/tokens?${MARK}`,
      `${ECHO}/%2e%2e/%2e%2e/${MARK}`,
      `${ECHO}\\..\\${MARK}`,
      `/${MARK}`,
      `/%00${MARK}`,
      `/%ff%fe${MARK}`,
      "/healthz",
      "/problems/not_found",
      `/openapi.json?${MARK}`,
      `/monitor/${MARK}`,
      `/control/v1/${MARK}`,
    ),
    bytes(40).map((junk) => `${ECHO}?${MARK}${junk}`),
    bytes(40).map((junk) => `/${junk}${MARK}`),
    fc.nat(20_000).map((length) => `${ECHO}?${MARK}${"q".repeat(length)}`),
    fc.nat(2_000).map((depth) => `${ECHO}${"/a".repeat(depth)}/${MARK}`),
  ),
);

const flood = fc
  .tuple(fc.integer({ min: 1, max: 400 }), fc.nat(60))
  .map(([count, length]) => Array.from({ length: count }, (_, index) => `x-${index}: ${"v".repeat(length)}`));

const field = fc.oneof(
  fc.constantFrom(
    `x-mark: ${MARK}`,
    `cookie: sid=${MARK}; a="b; c=; ;;`,
    `x-request-id: ${MARK}`,
    "x-request-id: a b\tc",
    "connection: x-mark, host, content-length, close",
    "connection: keep-alive",
    "te: trailers",
    "upgrade: websocket",
    "upgrade: h2c",
    "sec-websocket-key: short",
    "expect: 100-continue",
    "expect: something",
    "skerry-internal-identity: forged",
    "skerry-internal-epoch: 999999999",
    "skerry-deadline: 50",
    "skerry-deadline: -1",
    "grpc-timeout: 1n",
    "traceparent: 00-00000000000000000000000000000000-0000000000000000-01",
    "traceparent: zz",
    "tracestate: =,=,=",
    "accept-encoding: gzip;q=0, *;q=0",
    "accept: \xff\xfe",
    "range: bytes=0-18446744073709551616",
    'if-none-match: "',
    'idempotency-key: "k"',
    "origin: null",
    "authorization: Bearer",
    "cf-connecting-ip: ::::",
    'x-forwarded-for: ", , ,',
    "content-encoding: gzip",
    "host: other.example",
    ": nameless",
    "no colon",
    " folded",
    "x-nul: a\0b",
  ),
  fc.nat(70_000).map((length) => `cookie: ${MARK}=${"c".repeat(length)}`),
  fc.tuple(bytes(8), bytes(30)).map(([name, value]) => `${name}: ${value}`),
);

const host = sometimes(
  fc.constant<readonly string[]>(["host: gateway.example"]),
  fc.oneof(
    fc.constantFrom<readonly string[]>(
      [],
      ["host:"],
      ["host: a", "host: b"],
      ["host: a/b?c"],
      ["host: [::1"],
    ),
    bytes(12).map((junk) => [`host: ${junk}`]),
  ),
  6,
);

const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

/** Fields that say what the body is, and a body. */
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly [readonly string[], string]>([[], ""]) },
  {
    weight: 3,
    arbitrary: fc.nat(3_000).map((length) => {
      const text = `${MARK}${"b".repeat(length)}`;
      // The mark that is sent has as many characters: see `bytesOf`.
      return [["content-length: {length}"], text] as const;
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .nat(3_000)
      .map((length) => [["transfer-encoding: chunked"], chunked("b".repeat(length))] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom("0", "-1", "3", "999999", "99999999999999999999", "0x10", "1, 2", "", "1e3"),
        bytes(60),
      )
      .map(([length, junk]) => [[`content-length: ${length}`], `${MARK}${junk}`] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "chunked",
          "Chunked",
          "gzip, chunked",
          "chunked, chunked",
          "identity",
          "x",
          "chunked\r\ncontent-length: 5",
        ),
        fc.constantFrom(
          "fffffffffffffffff\r\n",
          "-1\r\n",
          "3;x=y\r\nabc\r\n0\r\n\r\n",
          "3\nabc\n0\n\n",
          "3\r\nab",
          "zz\r\n",
          `5\r\n${MARK}`,
        ),
      )
      .map(([coding, chunks]) => [[`transfer-encoding: ${coding}`], chunks] as const),
  },
);

const request: fc.Arbitrary<HostileRequest> = fc
  .record({
    method: sometimes(
      fc.constantFrom("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS"),
      fc.oneof(fc.constantFrom("TRACE", "CONNECT", "get", "PRI", "", "A".repeat(300)), bytes(6)),
      8,
    ),
    target,
    version: sometimes(
      fc.constant("HTTP/1.1"),
      fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "ICY"),
      9,
    ),
    host,
    body,
    some: fc.array(field, { maxLength: 5 }),
    many: sometimes(fc.constant<readonly string[]>([]), flood, 9),
    newline: sometimes(fc.constant("\r\n"), fc.constantFrom("\n", "\r", "\r\n "), 12),
  })
  .map(({ host: hosts, body: [about, text], some, many, ...rest }) => ({
    ...rest,
    body: text,
    fields: [...hosts, ...some, ...many, ...about],
  }));

export const hostileConnection: fc.Arbitrary<HostileConnection> = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  pieces: sometimes(fc.constant(1), fc.integer({ min: 2, max: 12 })),
  withheld: sometimes(fc.constant(0), fc.nat(50)),
  breaks: sometimes(fc.constant(false), fc.constant(true), 7),
});

/** One byte a character, each request with its own mark. */
export const bytesOf = (
  { requests, withheld }: HostileConnection,
  markOf: (index: number) => string,
): string => {
  const all = requests.map(({ method, target: at, version, fields, body: text, newline }, index) => {
    const marked = text.replaceAll(MARK, markOf(index));
    const lines = [`${method} ${at} ${version}`, ...fields, "", ""].join(newline);
    return lines.replaceAll(MARK, markOf(index)).replaceAll("{length}", `${marked.length}`) + marked;
  });
  const joined = all.join("");
  return joined.slice(0, joined.length - withheld);
};
