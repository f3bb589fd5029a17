/** Header fields that HTTP/2 can carry (RFC 9113 section 8.2), whatever operators, clients and services say. */
import { ROOT_CONTEXT } from "@opentelemetry/api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rateLimitFields } from "#shared/resilience/rate-limit-headers.ts";
import { compileRoute } from "./compile-route.ts";
import type { Exchange, HeaderEdit } from "./exchange.ts";
import { fakeExchange } from "./fake-exchange.ts";
import { instance } from "./fake-link.ts";
import { finished } from "./finished.ts";
import { onwardRequest } from "./onward-request.ts";
import { fakePolicies } from "./policy/fake-policies.ts";
import { policySchema } from "./policy/policy-schema.ts";

const OF_ONE_CONNECTION = ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"];
const LOWER_CASE_TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** No CR, LF or NUL anywhere, no blank at either end; and no other control characters. */
const SAFE_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "close",
    "x\r\ny: z",
    "\u0000",
    " a ",
    "{a}",
    "gzip, br;q=0",
    "https://shop.example",
    "max-age=60",
    "a=1; b=2",
    "*",
  ),
);
const name = fc.constantFrom(
  ...OF_ONE_CONNECTION,
  "te",
  "x-own",
  "X-Own",
  "vary",
  "etag",
  "cache-control",
  "server-timing",
  "link",
  "origin",
  "access-control-request-method",
  "accept-encoding",
  "if-none-match",
  "authorization",
  "cookie",
  "host",
  ":path",
  "",
);

/** As far as the platform takes them at all. */
const headersOf = (pairs: readonly (readonly [string, string])[]): Headers => {
  const headers = new Headers();
  for (const [key, value] of pairs) {
    try {
      headers.append(key, value);
    } catch {
      // Neither a client nor a service can bring these here.
    }
  }
  return headers;
};
const fields = fc.array(fc.tuple(name, hostile), { maxLength: 8 });

/** What an operator may have written, as far as the schemas let it in force. */
const writtenPolicy = fc
  .record({
    headers: fc.record({
      request: fc.record({ set: fc.dictionary(name, hostile, { maxKeys: 2 }) }),
      answer: fc.record({ append: fc.dictionary(name, hostile, { maxKeys: 2 }) }),
    }),
    securityHeaders: fc.record({ contentSecurityPolicy: hostile }),
    lifecycle: fc.record({ deprecated: fc.constant("2023-01-01"), link: hostile, successor: hostile }),
    cors: fc.record({ origins: fc.constant("*"), exposeHeaders: fc.array(hostile, { maxLength: 2 }) }),
    rateLimit: fc.record({ name: hostile }),
    serverTiming: fc.constant({}),
    compression: fc.constant({}),
    cache: fc.constant({}),
    fault: fc.constant(false as const),
  })
  .map((written) => {
    const taken = Object.entries(written).filter(
      ([part, value]) => policySchema.safeParse({ [part]: value }).success,
    );
    return policySchema.parse(Object.fromEntries(taken));
  });

interface Sent {
  readonly exchange: Exchange;
  readonly answer: Response;
}

const through = async ([policy, client, service, metadata, text]: readonly [
  ReturnType<typeof policySchema.parse>,
  Headers,
  Headers,
  Record<string, string>,
  string,
]): Promise<Sent> => {
  const entry = { service: "shop", epoch: 1, instances: [instance({ metadata })] };
  const handler = compileRoute(
    {
      route: "shop",
      layers: [policy],
      send: async () => new Response("x".repeat(2_000), { headers: service }),
    },
    { ...fakePolicies(), newName: () => "name", entry: () => entry, sendElsewhere: async () => undefined },
  );
  // Of a path, and of what parts call their phases: no header has made them harmless before.
  const params = { a: text };
  const timings = [{ name: text, ms: 1 }];
  const exchange = fakeExchange("/shop/v1/x", { headers: client }, { params, timings, trace: ROOT_CONTEXT });
  return { exchange, answer: await handler(exchange) };
};

const unsafe = (edits: readonly HeaderEdit[] = []): readonly HeaderEdit[] =>
  edits.filter(
    ({ kind, name, value }) =>
      !LOWER_CASE_TOKEN.test(name) ||
      !SAFE_VALUE.test(value) ||
      (kind !== "remove" && OF_ONE_CONNECTION.includes(name)),
  );

const everything = fc.tuple(
  writtenPolicy,
  fields.map(headersOf),
  fields.map(headersOf),
  fc.dictionary(fc.constantFrom("deprecated", "sunset", "successor", "deprecation-link"), hostile),
  hostile,
);

describe("whatever operators, clients and services say", () => {
  test("RFC 9113 §8.2.1: what parts set has names in lower case, and values without CR, LF, NUL and blanks at the ends", async () => {
    let edited = 0;
    await fc.assert(
      fc.asyncProperty(everything, async (said) => {
        const { exchange } = await through(said);
        edited += (exchange.answer?.length ?? 0) + (exchange.onward?.length ?? 0);
        expect([unsafe(exchange.answer), unsafe(exchange.onward)]).toEqual([[], []]);
      }),
      { numRuns: 300 },
    );
    expect(edited).toBeGreaterThan(300);
  });

  test("RFC 9113 §8.2.2: no part adds a field of one connection to an answer", async () => {
    await fc.assert(
      fc.asyncProperty(everything, async (said) => {
        const { exchange, answer } = await through(said);
        const own = OF_ONE_CONNECTION.filter((field) => said[2].has(field));
        const { headers } = finished(answer, exchange);
        expect(OF_ONE_CONNECTION.filter((field) => headers.has(field) && !own.includes(field))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test("RFC 9113 §8.2.2: a request that goes on has no field of one connection but an upgrade to WebSocket, and no TE", async () => {
    await fc.assert(
      fc.asyncProperty(everything, async (said) => {
        const { exchange } = await through(said);
        const { headers } = onwardRequest({ ...exchange, edits: exchange.onward });
        const left = [...OF_ONE_CONNECTION, "te"].filter((field) => headers.has(field));
        expect(left.filter((field) => field !== "upgrade")).toEqual([]);
        expect([null, "websocket"]).toContain(headers.get("upgrade"));
      }),
      { numRuns: 200 },
    );
  });
});

test("RFC 9113 §8.2.1: a rate limit's name that would break out of its field is refused when it is made", () => {
  for (const bad of ["a\r\nb", "\u0000", "ü"]) {
    expect(() => rateLimitFields({ name: bad, limit: 1, periodSeconds: 1 })).toThrow(RangeError);
  }
});
