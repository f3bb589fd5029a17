/** Media types as `Content-Type` and `Accept` name them (RFC 9110 section 8.3.1), and whether they fit a route's. */
import { LIMITS } from "#shared/limits.ts";

export interface MediaType {
  /** Lower case, as are the subtype and the parameters with their values. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Those of a header's value in order, without what is malformed; none of a value that is longer than sensible. */
export const parseMediaTypes = (value: string): readonly MediaType[] => {
  if (value.length > LIMITS.mediaTypesCharacters) return [];
  return splitOutsideQuotes(value.toLowerCase(), ",").flatMap((each) => mediaTypeOf(each) ?? []);
};

/** `*` as the wanted subtype fits all; each wanted parameter must be there, others may be. */
export const fitsMediaType = (wanted: MediaType, given: MediaType): boolean => {
  if (wanted.type !== given.type) return false;
  if (wanted.subtype !== "*" && wanted.subtype !== given.subtype) return false;
  for (const [name, value] of wanted.parameters) if (given.parameters.get(name) !== value) return false;
  return true;
};

/** Listed by its own name, at a weight above 0: a range of everything says that anything will do, which chooses nothing. */
export const isAccepted = (wanted: MediaType, ranges: readonly MediaType[]): boolean =>
  ranges.some((range) => fitsMediaType(wanted, range) && Number(range.parameters.get("q") ?? 1) !== 0);

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

const mediaTypeOf = (text: string): MediaType | undefined => {
  const [essence = "", ...rest] = splitOutsideQuotes(text, ";");
  const [type = "", subtype = "", ...more] = essence.trim().split("/");
  if (!TOKEN.test(type) || !TOKEN.test(subtype) || more.length > 0) return undefined;
  const parameters = new Map<string, string>();
  for (const each of rest) {
    const equals = each.indexOf("=");
    const name = each.slice(0, Math.max(equals, 0)).trim();
    if (name !== "" && !parameters.has(name)) parameters.set(name, unquoted(each.slice(equals + 1).trim()));
  }
  return { type, subtype, parameters };
};

const unquoted = (value: string): string =>
  value.length > 1 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/gs, "$1")
    : value;

/** Reads each character once, whatever is quoted or left open. */
const splitOutsideQuotes = (text: string, separator: string): string[] => {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted && character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
};
