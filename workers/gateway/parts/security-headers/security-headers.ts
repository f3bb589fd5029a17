/** Adds the headers by which browsers protect a page, where the answer does not say itself what it wants. */
import { editAnswer, type Part } from "../../exchange.ts";
import type { WrittenSecurityHeaders } from "./security-headers-schema.ts";

type Settings = {
  readonly [Name in keyof WrittenSecurityHeaders]-?: Exclude<WrittenSecurityHeaders[Name], undefined>;
};

/** In force where nothing else is written. */
export const SECURITY_HEADER_DEFAULTS = {
  strictTransportSecurity: "max-age=31536000",
  contentTypeOptions: "nosniff",
  referrerPolicy: "strict-origin-when-cross-origin",
  crossOriginOpenerPolicy: "same-origin",
  crossOriginResourcePolicy: false,
  permissionsPolicy: "camera=(), geolocation=(), microphone=()",
  contentSecurityPolicy: "frame-ancestors 'none'",
} as const satisfies Settings;

const NAMES = {
  strictTransportSecurity: "strict-transport-security",
  contentTypeOptions: "x-content-type-options",
  referrerPolicy: "referrer-policy",
  crossOriginOpenerPolicy: "cross-origin-opener-policy",
  crossOriginResourcePolicy: "cross-origin-resource-policy",
  permissionsPolicy: "permissions-policy",
  contentSecurityPolicy: "content-security-policy",
} as const satisfies Record<keyof Settings, string>;

const SWITCHING_PROTOCOLS = 101;

export const securityHeaders = (written: WrittenSecurityHeaders): Part => {
  const everywhere = (Object.keys(NAMES) as (keyof Settings)[]).flatMap((field) => {
    const value = written[field] ?? SECURITY_HEADER_DEFAULTS[field];
    return value === false ? [] : [{ kind: "set", name: NAMES[field], value } as const];
  });
  const withoutTls = everywhere.filter(({ name }) => name !== NAMES.strictTransportSecurity);

  return (next) =>
    async function securityHeaders(exchange) {
      const answer = await next(exchange);
      if (answer.status === SWITCHING_PROTOCOLS) return answer;
      const edits = exchange.request.url.startsWith("https:") ? everywhere : withoutTls;
      for (const edit of edits) if (!answer.headers.has(edit.name)) editAnswer(exchange, edit);
      return answer;
    };
};
