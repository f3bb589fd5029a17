/** Finds the template of a document that a path belongs to: "/orders/v1/orders/{orderId}". */

export interface FoundTemplate<Value> {
  readonly value: Value;
  /** By name; as they stand in the path, not decoded. */
  readonly params: ReadonlyMap<string, string>;
}

export type FindTemplate<Value> = (path: string) => FoundTemplate<Value> | undefined;

/** One segment: literal texts with a parameter between each two. */
interface Segment {
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

interface Template<Value> {
  readonly segments: readonly Segment[];
  readonly value: Value;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** A template without parameters comes first, then the one whose literal segments come first. Linear in the path's length for each template of as many segments. */
export const pathTemplates = <Value>(entries: Iterable<readonly [string, Value]>): FindTemplate<Value> => {
  const exact = new Map<string, Value>();
  const byLength = new Map<number, Template<Value>[]>();
  for (const [path, value] of entries) {
    if (!path.includes("{")) {
      exact.set(path, value);
      continue;
    }
    const segments = path.split("/").map(segmentOf);
    if (segments.some((segment) => segment === undefined)) continue;
    const template = { segments: segments as Segment[], value };
    byLength.set(segments.length, [...(byLength.get(segments.length) ?? []), template]);
  }
  for (const templates of byLength.values()) templates.sort((one, other) => rank(one) - rank(other));

  return (path) => {
    const value = exact.get(path);
    if (value !== undefined) return { value, params: NONE };
    const parts = path.split("/");
    for (const template of byLength.get(parts.length) ?? []) {
      const params = matched(template.segments, parts);
      if (params) return { value: template.value, params };
    }
    return undefined;
  };
};

/** Undefined where two parameters touch, so that nobody knows where one ends. */
const segmentOf = (text: string): Segment | undefined => {
  const pieces = text.split(/\{([^{}]*)\}/);
  const literals = pieces.filter((_, index) => index % 2 === 0);
  const names = pieces.filter((_, index) => index % 2 === 1);
  return literals.slice(1, -1).includes("") ? undefined : { literals, names };
};

/** Smaller for literals in earlier segments; of more than 30 segments the later ones do not count. */
const rank = ({ segments }: Template<unknown>): number =>
  segments
    .slice(0, 30)
    .reduce((sum, { names }, index) => sum + (names.length > 0 ? 2 ** (30 - index) : 0), 0);

const matched = (segments: readonly Segment[], parts: readonly string[]): Map<string, string> | undefined => {
  const params = new Map<string, string>();
  for (const [index, segment] of segments.entries()) {
    if (!matchSegment(segment, parts[index] ?? "", params)) return undefined;
  }
  return params;
};

/** Each parameter ends where the next literal is found first. */
const matchSegment = ({ literals, names }: Segment, part: string, params: Map<string, string>): boolean => {
  const [first = ""] = literals;
  if (names.length === 0) return part === first;
  if (!part.startsWith(first)) return false;
  let at = first.length;
  for (const [index, name] of names.entries()) {
    const literal = literals[index + 1] ?? "";
    const isLast = index === names.length - 1;
    const end = isLast ? part.length - literal.length : part.indexOf(literal, at + 1);
    if (end <= at || !part.startsWith(literal, end)) return false;
    params.set(name, part.slice(at, end));
    at = end + literal.length;
  }
  return true;
};
