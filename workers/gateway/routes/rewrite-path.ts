/** Another path than the client's for what is sent on, made of the client's own characters: nothing is decoded on the way. */
import type { Found } from "./compiled-route.ts";
import { type PathPattern, type PatternSegment, pathPattern } from "./path-pattern.ts";
import type { WrittenRoute } from "./route-schema.ts";

export type Rewrite =
  | { readonly kind: "strip"; readonly segments: number }
  | { readonly kind: "template"; readonly template: PathPattern };

export const compileRewrite = (written: NonNullable<WrittenRoute["rewrite"]>): Rewrite =>
  typeof written === "string"
    ? { kind: "template", template: pathPattern(written) }
    : { kind: "strip", segments: written.stripPrefix };

/**
 * The path to send; the same where the route rewrites none. A rewritten one begins with exactly one slash, so that it
 * names no other host, and has nothing that a URL would read as a query, a fragment or a slash.
 * @param path the one that `found` was found for
 */
export const rewritePath = (found: Pick<Found, "route" | "pattern">, path: string): string => {
  const { rewrite } = found.route;
  if (!rewrite) return path;
  const rewritten =
    rewrite.kind === "strip"
      ? after(path, rewrite.segments)
      : filled(rewrite.template, found.pattern.segments, path);
  return `/${rewritten.replace(/^\/+/, "")}`.replace(UNSAFE, percentEncoded);
};

const filled = (template: PathPattern, matched: readonly PatternSegment[], path: string): string => {
  let text = "";
  for (const segment of template.segments) {
    text += `/${segment.kind === "literal" ? segment.written : segmentNamed(segment.name, matched, path)}`;
  }
  if (template.rest) text += after(path, matched.length);
  return template.slashAtEnd ? `${text}/` : text;
};

const segmentNamed = (name: string, matched: readonly PatternSegment[], path: string): string => {
  const index = matched.findIndex((each) => each.kind === "parameter" && each.name === name);
  if (index < 0) return "";
  const [segment = ""] = after(path, index).slice(1).split("/", 1);
  return segment;
};

/** What follows the first segments, with its slash; empty when nothing does. */
const after = (path: string, segments: number): string => {
  let at = 0;
  for (let passed = 0; passed < segments; passed++) {
    at = path.indexOf("/", at + 1);
    if (at < 0) return "";
  }
  return path.slice(at);
};

/** What is no character of a path (RFC 3986 section 3.3), but for `%`, which is taken as it stands. */
const UNSAFE = /[^\x21-\x7e]+|["#<>?[\\\]^`{|}]/g;

const percentEncoded = (text: string): string => encodeURIComponent(text.toWellFormed());
