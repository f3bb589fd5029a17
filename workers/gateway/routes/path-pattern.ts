/** The form of a path as a route writes it: literal segments, `:parameters`, and `*` at the end for whatever follows. */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";

export type PatternSegment =
  | {
      readonly kind: "literal";
      /** Percent-decoded: what a request's segment is compared with. */
      readonly text: string;
      /** As written. */
      readonly written: string;
    }
  | { readonly kind: "parameter"; readonly name: string };

export interface PathPattern {
  readonly segments: readonly PatternSegment[];
  /** Ends with `*`: any number of further segments, none too. */
  readonly rest: boolean;
  /** A slash at the end, which tells nothing in a match, but is kept in a template. */
  readonly slashAtEnd: boolean;
}

const PARAMETER = /^:[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** Visible ASCII and everything beyond it, without what ends a path or is read as a slash. */
const PATH = /^\/[^\s?#\\\p{Cc}]*$/u;

/** What a pattern or a template says; the refusal tells what was expected instead. */
export const parsePathPattern = (text: string): Result<PathPattern, string> => {
  if (text.length > LIMITS.routePatternCharacters)
    return err(`at most ${LIMITS.routePatternCharacters} characters`);
  if (!PATH.test(text))
    return err("a path that begins with / and has no blank, backslash, query or fragment");
  const parts = text.slice(1).split("/");
  const slashAtEnd = parts.at(-1) === "";
  if (slashAtEnd) parts.pop();
  const rest = parts.at(-1) === "*";
  if (rest) parts.pop();
  if (parts.length > LIMITS.routeSegments) return err(`at most ${LIMITS.routeSegments} segments`);
  const segments: PatternSegment[] = [];
  for (const part of parts) {
    const segment = segmentOf(part);
    if (typeof segment === "string") return err(segment);
    segments.push(segment);
  }
  const names = parameterNames(segments);
  if (new Set(names).size < names.length) return err("another name for each parameter");
  return ok({ segments, rest, slashAtEnd: slashAtEnd && !rest });
};

/** For what a schema has let through already. */
export const pathPattern = (text: string): PathPattern => {
  const parsed = parsePathPattern(text);
  if (parsed.ok) return parsed.value;
  throw new Error(`Compiling the path ${JSON.stringify(text)}: expected ${parsed.error}.`);
};

export const parameterNames = (segments: readonly PatternSegment[]): string[] =>
  segments.flatMap((segment) => (segment.kind === "parameter" ? [segment.name] : []));

/** A segment percent-decoded; undefined when its percent-encoding is malformed. */
export const decodedSegment = (segment: string): string | undefined => {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
};

/** What the URL standard takes out of a path: no such segment is ever looked for or sent on. */
export const isDotSegment = (decoded: string | undefined): boolean => decoded === "." || decoded === "..";

const segmentOf = (written: string): PatternSegment | string => {
  if (written.startsWith(":")) {
    return PARAMETER.test(written)
      ? { kind: "parameter", name: written.slice(1) }
      : "a parameter's name of letters, digits and _ after the colon";
  }
  if (written.includes("*")) return "* alone and at the end; as a character it is written %2A";
  const text = decodedSegment(written);
  if (text === undefined) return "well-formed percent-encoding";
  return text === "" || isDotSegment(text)
    ? "no empty segment and none of dots only"
    : { kind: "literal", text, written };
};
