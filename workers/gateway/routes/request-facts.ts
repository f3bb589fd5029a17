/** What routes ask of a request, looked at when the first of them asks and not before. */
import { LIMITS } from "#shared/limits.ts";
import { type MediaType, parseMediaTypes } from "./media-type.ts";

/** A request to find a route for. `url` and `headers` may be getters: they are read only when some route depends on them. */
export interface RouteQuestion {
  readonly method: string;
  /** Of the URL, percent-encoded, without query. */
  readonly path: string;
  readonly headers: Headers;
  readonly url: string;
}

export type ValueSource = "header" | "query" | "cookie";

/** One for a table, asked of one request after another: nothing is allocated for what nobody asks. */
export interface RequestFacts {
  about(question: RouteQuestion | undefined): void;
  method(): string;
  /** Lower case, without port and final dot; empty when it is longer than a host may be. */
  host(): string;
  value(source: ValueSource, name: string): string | undefined;
  /** All that there are, by name; the first of equal names. */
  values(source: ValueSource): Iterable<readonly [string, string]>;
  contentTypes(): readonly MediaType[];
  accepted(): readonly MediaType[];
}

export const requestFacts = (): RequestFacts => {
  let asked = NOTHING;
  let host: string | undefined;
  let query: Map<string, string> | undefined;
  let cookies: Map<string, string> | undefined;
  let contentTypes: readonly MediaType[] | undefined;
  let accepted: readonly MediaType[] | undefined;

  const ofQuery = () => (query ??= queryOf(asked.url));
  const ofCookies = () => (cookies ??= cookiesOf(asked.headers));
  return {
    about(question) {
      asked = question ?? NOTHING;
      host = query = cookies = contentTypes = accepted = undefined;
    },
    method: () => asked.method,
    host: () => (host ??= hostOf(asked.url)),
    value(source, name) {
      if (source === "header") return asked.headers.get(name) ?? undefined;
      return (source === "query" ? ofQuery() : ofCookies()).get(name);
    },
    values(source) {
      if (source === "header") return asked.headers;
      return source === "query" ? ofQuery() : ofCookies();
    },
    contentTypes: () => (contentTypes ??= parseMediaTypes(asked.headers.get("content-type") ?? "")),
    accepted: () => (accepted ??= parseMediaTypes(asked.headers.get("accept") ?? "")),
  };
};

/** Stands in between requests, so that none is kept. */
const NOTHING: RouteQuestion = { method: "", path: "/", headers: new Headers(), url: "" };

/** By hand: parsing the URL costs more than the whole lookup. */
const hostOf = (url: string): string => {
  const start = url.indexOf("://") + 3;
  if (start < 3) return "";
  const slash = url.indexOf("/", start);
  const end = slash < 0 ? url.length : slash;
  if (end - start > LIMITS.hostCharacters + MORE_THAN_HOST) return "";
  const [authority = ""] = url.slice(start, end).split(/[?#]/, 1);
  const first = authority.lastIndexOf("@") + 1;
  const colon = authority.lastIndexOf(":");
  const named = authority.slice(first, colon > authority.lastIndexOf("]") ? colon : undefined);
  const host = named.endsWith(".") ? named.slice(0, -1) : named;
  return host.length > LIMITS.hostCharacters ? "" : host.toLowerCase();
};
/** A final dot, a colon and a port. */
const MORE_THAN_HOST = 7;

const queryOf = (url: string): Map<string, string> => {
  const values = new Map<string, string>();
  const [whole = ""] = url.split("#", 1);
  const start = whole.indexOf("?");
  if (start < 0) return values;
  const query = whole.slice(start + 1);
  for (const [name, value] of new URLSearchParams(query)) if (!values.has(name)) values.set(name, value);
  return values;
};

/** By name, the first of equal names; values as they stand. */
export const cookiesOf = (headers: Headers): Map<string, string> => {
  const values = new Map<string, string>();
  for (const each of (headers.get("cookie") ?? "").split(";")) {
    const equals = each.indexOf("=");
    const name = each.slice(0, Math.max(equals, 0)).trim();
    if (name !== "" && !values.has(name)) values.set(name, each.slice(equals + 1).trim());
  }
  return values;
};
