/** Which of the answers to one address fits a request: `Vary` (RFC 9111 section 4.1). */
import type { Exchange } from "../../exchange.ts";

/** A request header by which the service chose, and what it held; undefined: the request had none. */
export type Selector = readonly [name: string, value: string | undefined];

/**
 * Beside headers: what was given to everybody may be too old for who has asked for a minor version, and neither what a canary
 * says nor what a tenant has is for everybody. No header is named so.
 */
const DESTINATION = ":destination";
/** Whose answer it is, alone: each has a place of its own among the answers to an address. */
export const TENANT = ":tenant";

/** Reads what the service gets: another part may have set the header. */
export type SelectingHeader = (name: string) => string | undefined;

type Selecting = Pick<Exchange, "request" | "onward" | "service" | "major" | "minor" | "leads" | "caller">;

/**
 * Who is to answer, at which address, and in which tenant, as far as the answer depends on it. What may be given to everybody
 * (`public`) is for everybody of one tenant: a service that keeps them apart answers each of its own.
 */
export const destinationOf = ({
  service,
  major,
  minor,
  caller,
  leads = "",
}: Omit<Selecting, "request" | "onward">): string =>
  `${service} ${major}.${minor} ${caller?.tenant ?? ""} ${leads}`;

/** As the exchange stands now, whatever happens to it later. */
export const selectingHeaders = ({ request, onward, ...destination }: Selecting): SelectingHeader => {
  const edits = onward ? [...onward] : [];
  return (name) => {
    if (name === DESTINATION) return destinationOf(destination);
    if (name === TENANT) return destination.caller?.tenant;
    let value = request.headers.get(name);
    for (const edit of edits) {
      if (edit.name !== name) continue;
      if (edit.kind === "remove") value = null;
      else value = edit.kind === "append" && value !== null ? `${value}, ${edit.value}` : edit.value;
    }
    return value === null ? undefined : normalised(value);
  };
};

/**
 * What the answer was chosen by, with the headers that always tell answers apart; undefined when no other request may
 * have it: `*`, or a header that is secret or that the gateway signs for one caller.
 */
export const selectorsOf = (
  vary: string | null,
  always: readonly string[],
  header: SelectingHeader,
): readonly Selector[] | undefined => {
  const names = new Set([DESTINATION, ...always.map((name) => name.toLowerCase())]);
  for (const name of (vary ?? "").split(",")) {
    const wanted = name.trim().toLowerCase();
    if (wanted === "") continue;
    if (!TOKEN.test(wanted) || wanted === "*" || wanted.startsWith(INTERNAL_PREFIX)) return undefined;
    if (SECRET.has(wanted) && header(wanted) !== undefined) return undefined;
    names.add(wanted);
  }
  return [...names].map((name) => [name, header(name)] as const);
};

export const fits = (selectors: readonly Selector[], header: SelectingHeader): boolean =>
  selectors.every(([name, value]) => header(name) === value);

const INTERNAL_PREFIX = "skerry-internal-";
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const SECRET = new Set(["authorization", "proxy-authorization", "cookie"]);

/** Blanks around the members of a list mean nothing (section 4.1). */
const normalised = (value: string): string => value.trim().replace(/[ \t]*,[ \t]*/g, ",");
