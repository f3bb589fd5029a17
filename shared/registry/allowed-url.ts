/** Which URLs an instance may be registered at: the guard against making the platform ask what only it can reach (SSRF). */
import { err, ok, type Result } from "../result.ts";
import { addressKindOf, isMetadataHost } from "./instance-address.ts";

const URL_LENGTH_MAX = 2_048;

/**
 * Checks an instance's base URL against the list of allowed hosts.
 *
 * `allowed` holds host patterns, separated by commas; an empty list allows nothing:
 * - `api.example`, `10.0.0.7`, `[fd00::7]`: exactly this host
 * - `*.example`: every name below `example`, not `example` itself
 * - `10.0.0.*`, `10.0.*.*`: IPv4 addresses; the first two numbers must be written out
 * - `*`: every public address and every name with a dot that is not of a local domain
 *
 * `:8080` after the host allows that port, `:*` every port, none the scheme's own. Link-local, unspecified, multicast and
 * reserved addresses, IPv6 addresses that carry an IPv4 one, and cloud metadata services are refused whatever the list says.
 * A name is judged as a name: what it resolves to cannot be seen here.
 *
 * @returns the URL as the WHATWG parser reads it; use this one, not the text
 */
export const checkInstanceUrl = (url: string, allowed: string): Result<URL, { detail: string }> => {
  const refuse = (expected: string) =>
    err({ detail: `Taking the URL ${JSON.stringify(url.slice(0, 200))}: expected ${expected}.` });
  const parsed = url.length <= URL_LENGTH_MAX ? parse(url) : undefined;
  if (!parsed) return refuse(`an absolute URL of at most ${URL_LENGTH_MAX} characters`);
  const scheme = parsed.protocol;
  if (scheme !== "http:" && scheme !== "https:") return refuse("http or https");
  if (parsed.username !== "" || parsed.password !== "") return refuse("no user and no password");
  if (/[?#]/.test(parsed.href)) return refuse("no query and no fragment");
  const host = hostOf(parsed);
  if (host.split(".").includes("")) return refuse("a host without empty parts");
  if (isMetadataHost(host)) return refuse("a host that is no metadata service");
  const kind = addressKindOf(host);
  if (kind === "forbidden") return refuse("a host that is no link-local, reserved or translated address");
  const port = parsed.port || DEFAULT_PORT[scheme];
  const patterns = allowed.split(",").map((pattern) => pattern.trim().toLowerCase());
  const allows = patterns.some((pattern) => matches(pattern, { host, kind, port, scheme }));
  return allows ? ok(parsed) : refuse("a host and port that REGISTRY_ALLOWED_HOSTS names");
};

const DEFAULT_PORT = { "http:": "80", "https:": "443" } as const;

interface Place {
  readonly host: string;
  readonly kind: "public" | "private";
  readonly port: string;
  readonly scheme: "http:" | "https:";
}

const matches = (pattern: string, { host, kind, port, scheme }: Place): boolean => {
  const [, hostPattern, portPattern] = /^(\[[^\]]*\]|[^:[\]]+)(?::(\*|[0-9]{1,5}))?$/.exec(pattern) ?? [];
  if (hostPattern === undefined) return false;
  if (portPattern !== "*" && port !== (portPattern ?? DEFAULT_PORT[scheme])) return false;
  if (hostPattern === "*") return kind === "public";
  if (hostPattern.startsWith("*.")) return matchesBelow(hostPattern.slice(1), host);
  if (hostPattern.includes("*")) return matchesAddress(hostPattern, host);
  const literal = parse(`http://${hostPattern}`);
  return literal !== undefined && hostOf(literal) === host;
};

/** `suffix` begins with its dot. An address has nothing below it: "*.0.0.1" matches none. */
const matchesBelow = (suffix: string, host: string): boolean =>
  suffix.length > 1 &&
  !suffix.includes("*") &&
  !/\.[0-9]+$/.test(suffix) &&
  host.endsWith(suffix) &&
  host.length > suffix.length;

const matchesAddress = (pattern: string, host: string): boolean => {
  const expected = /^([0-9]+\.[0-9]+\.)(?:([0-9]+\.)\*|\*\.\*)$/.exec(pattern);
  if (!expected) return false;
  const prefix = `${expected[1]}${expected[2] ?? ""}`;
  return /^[0-9.]+$/.test(host) && host.startsWith(prefix);
};

/** A name's last dot only says that it is whole. */
const hostOf = ({ hostname }: URL): string => hostname.toLowerCase().replace(/\.$/, "");

const parse = (text: string): URL | undefined => {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
};
