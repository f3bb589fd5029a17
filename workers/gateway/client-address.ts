/** Where a request comes from, by a rule that the operator states: a header that anybody may send proves nothing. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

export const clientAddressSchema = z
  .union([
    z.strictObject({ kind: z.literal("platform") }),
    z.strictObject({
      kind: z.literal("forwarded"),
      proxies: z
        .int()
        .min(1)
        .max(LIMITS.forwardingProxies)
        .describe("Proxies of one's own before the gateway, each of which adds an entry."),
      header: z
        .enum(["x-forwarded-for", "forwarded"])
        .optional()
        .describe("Which header they add to, the only one that is read; `x-forwarded-for` when absent."),
    }),
    z.strictObject({ kind: z.literal("none") }),
  ])
  .describe(
    "`platform`: `CF-Connecting-IP`, on Cloudflare alone; `forwarded`: the n-th entry from the right for n proxies; `none`: not known.",
  );

export type ClientAddressRule = z.infer<typeof clientAddressSchema>;

/** Of a request: its header, and what Cloudflare says of it beside the header. */
export interface Sent {
  readonly headers: Headers;
  /** Absent where a request did not come through Cloudflare: no header makes it. */
  readonly cf?: unknown;
}

/**
 * IPv4 in dots or IPv6 in its canonical form (RFC 5952), without brackets and port; an IPv4 address within IPv6 is IPv4.
 * Undefined when the rule's header is absent, has fewer entries than there are proxies, or names no address, and where
 * the platform that is to set it is not there: then anybody may have.
 */
export const clientAddressOf = (sent: Sent, rule: ClientAddressRule): string | undefined => {
  const { headers } = sent;
  switch (rule.kind) {
    case "none":
      return undefined;
    case "platform":
      return isFromPlatform(sent) ? addressIn(headers.get("cf-connecting-ip") ?? "") : undefined;
    case "forwarded": {
      const name = rule.header ?? "x-forwarded-for";
      const entry = entryFromRight(headers.get(name) ?? "", rule.proxies);
      if (entry === undefined) return undefined;
      return addressIn(name === "forwarded" ? forIn(entry) : entry);
    }
  }
};

const isFromPlatform = ({ cf }: Sent): boolean => cf !== undefined && cf !== null;

/** As `clientAddressOf`; says once to the operator that the rule in force cannot tell where this gateway stands. */
export const clientAddresses = (
  warn: (message: string) => void,
): ((sent: Sent, rule: ClientAddressRule) => string | undefined) => {
  let warned = false;
  return (sent, rule) => {
    if (!warned && rule.kind === "platform" && !isFromPlatform(sent)) {
      warned = true;
      warn(NOT_ON_PLATFORM);
    }
    return clientAddressOf(sent, rule);
  };
};

const NOT_ON_PLATFORM =
  'Reading a client\'s address by the rule "platform": a request did not come through Cloudflare, so that its address is not ' +
  'known; expected a "clientAddress" of kind "forwarded" or "none"';

/**
 * The n-th element of a list. Read from the right, because what stands left of the proxies' own entries is the client's
 * to choose, an unclosed quote as well.
 */
const entryFromRight = (list: string, n: number): string | undefined => {
  let quoted = false;
  let end = list.length;
  let left = n;
  for (let at = list.length - 1; at >= 0; at--) {
    if (list[at] === '"') quoted = !quoted;
    if (list[at] !== "," || quoted) continue;
    left--;
    if (left === 0) return list.slice(at + 1, end).trim();
    end = at;
  }
  return left === 1 ? list.slice(0, end).trim() : undefined;
};

/** Of one element of `Forwarded` (RFC 7239 section 4); empty when it has none. Longer than any element is none. */
const forIn = (element: string): string => {
  if (element.length > ELEMENT_CHARACTERS) return "";
  for (const pair of element.split(";")) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (name.trim().toLowerCase() === "for") return unquoted(value.trim());
  }
  return "";
};

const ELEMENT_CHARACTERS = 512;

const unquoted = (text: string): string =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;

const addressIn = (said: string): string | undefined => {
  const text = said.trim();
  // An IPv6 address in brackets and with a port is the longest form.
  if (text.length > 60) return undefined;
  if (IPV4.test(text)) return text.split(":", 1)[0];
  return ipv6(BRACKETED.exec(text)?.[1] ?? text);
};

const PORT = "(?::[0-9]{1,5})?";
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}${PORT}$`);
const BRACKETED = new RegExp(`^\\[([^\\]]*)\\]${PORT}$`);
const IPV6_CHARACTERS = /^[0-9A-Fa-f:.]{2,45}$/;
const IPV4_MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** URLs know the canonical form. */
const ipv6 = (text: string): string | undefined => {
  if (!IPV6_CHARACTERS.test(text) || !text.includes(":")) return undefined;
  const url = `http://[${text}]/`;
  if (!URL.canParse(url)) return undefined;
  const address = new URL(url).hostname.slice(1, -1);
  const [, high, low] = IPV4_MAPPED.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low].flatMap((part) => [parseInt(part, 16) >> 8, parseInt(part, 16) & 255]).join(".");
};
