/** Lets pages of other origins read answers, by the CORS protocol (Fetch standard, section 3.3). */
import { type Exchange, editAnswer, type Part, refusal } from "../../exchange.ts";
import { varyBy } from "../../vary-by.ts";
import { allowedOrigins } from "./allowed-origins.ts";
import type { WrittenCors } from "./cors-schema.ts";

export const CORS_DEFAULTS = {
  origins: [],
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  headers: [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "skerry-min-position",
    "x-api-key",
    "x-csrf-token",
  ],
  exposeHeaders: [
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "skerry-position",
    "x-request-id",
  ],
  credentials: false,
  maxAgeSeconds: 600,
} as const satisfies WrittenCors;

/**
 * Answers preflights itself: 204, or 403 where the origin is not allowed, as the standard encourages. Other requests of
 * such an origin go on, for the same header stands on requests of a page to its own site, and get an answer that a page of
 * another origin cannot read.
 */
export const cors = (written: WrittenCors): Part => {
  const policy = policyOf(written);
  const { origins, preflight } = policy;

  return (next) =>
    async function cors(exchange) {
      const { headers, method } = exchange.request;
      const origin = headers.get("origin");
      const allowed = origins === "*" || (origin !== null && origins(origin));
      if (method === "OPTIONS" && origin !== null && headers.has(REQUEST_METHOD))
        return allowed ? yes(exchange, { origin: policy.said(origin), preflight }) : no(exchange, origin);
      const answer = await next(exchange);
      if (answer.status === SWITCHING_PROTOCOLS) return answer;
      if (allowed) allow(exchange, policy.said(origin), policy);
      else forbid(exchange, answer);
      if (method === "OPTIONS") varyBy(exchange, answer, VARY_OPTIONS);
      else if (origins !== "*") varyBy(exchange, answer, VARY);
      return answer;
    };
};

const SWITCHING_PROTOCOLS = 101;
const REQUEST_METHOD = "access-control-request-method";
const ALLOW_ORIGIN = "access-control-allow-origin";
const ALLOW_CREDENTIALS = "access-control-allow-credentials";
const EXPOSE_HEADERS = "access-control-expose-headers";
const VARY = ["origin"];
const VARY_OPTIONS = ["origin", REQUEST_METHOD, "access-control-request-headers"];

type CorsPolicy = ReturnType<typeof policyOf>;

const policyOf = (written: WrittenCors) => {
  const origins = allowedOrigins(written.origins ?? CORS_DEFAULTS.origins);
  const exposeHeaders = listed(written.exposeHeaders ?? CORS_DEFAULTS.exposeHeaders);
  // What is written for all and for a route may come together in a way that neither could have been written.
  const credentials = origins !== "*" && (written.credentials ?? CORS_DEFAULTS.credentials);
  const preflight = {
    "access-control-allow-methods": listed(written.methods ?? CORS_DEFAULTS.methods),
    "access-control-allow-headers": listed(written.headers ?? CORS_DEFAULTS.headers),
    "access-control-max-age": `${written.maxAgeSeconds ?? CORS_DEFAULTS.maxAgeSeconds}`,
    ...(credentials && { [ALLOW_CREDENTIALS]: "true" }),
    vary: VARY_OPTIONS.join(", "),
  };
  /** One for all where everybody is allowed, so that caches may keep one answer. */
  const said = (origin: string | null): string => (origins === "*" || origin === null ? "*" : origin);
  return { origins, exposeHeaders, credentials, preflight, said };
};

const listed = (names: "*" | readonly string[]): string => (names === "*" ? "*" : names.join(", "));

interface Yes {
  readonly origin: string;
  readonly preflight: Readonly<Record<string, string>>;
}

/** What is allowed, whatever was asked for: the browser compares. */
const yes = (exchange: Exchange, { origin, preflight }: Yes): Response =>
  new Response(null, {
    status: 204,
    headers: { ...preflight, [ALLOW_ORIGIN]: origin, "x-request-id": exchange.requestId },
  });

const no = (exchange: Exchange, origin: string): Response => {
  const asked = JSON.stringify(origin.slice(0, 200));
  const detail = `Calling from pages of ${asked}: expected an origin that this address is open to.`;
  return refusal(exchange, "origin_not_allowed", detail, { vary: VARY_OPTIONS.join(", ") });
};

const allow = (exchange: Exchange, origin: string, { exposeHeaders, credentials }: CorsPolicy): void => {
  editAnswer(exchange, { kind: "set", name: ALLOW_ORIGIN, value: origin });
  if (credentials) editAnswer(exchange, { kind: "set", name: ALLOW_CREDENTIALS, value: "true" });
  else editAnswer(exchange, { kind: "remove", name: ALLOW_CREDENTIALS, value: "" });
  if (exposeHeaders !== "") editAnswer(exchange, { kind: "set", name: EXPOSE_HEADERS, value: exposeHeaders });
};

/** The service's own word does not open what the route keeps closed. */
const forbid = (exchange: Exchange, answer: Response): void => {
  for (const name of [ALLOW_ORIGIN, ALLOW_CREDENTIALS])
    if (answer.headers.has(name)) editAnswer(exchange, { kind: "remove", name, value: "" });
};
