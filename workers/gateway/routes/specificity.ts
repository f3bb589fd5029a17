/** Which of two routes comes first where both match: priority, host, path, number of conditions, `HEAD` by its name, name. */
import type { Condition } from "./conditions.ts";
import type { PathPattern, PatternSegment } from "./path-pattern.ts";

/** A route by one of its patterns. */
export interface Ranked {
  readonly priority: number;
  readonly pattern: PathPattern;
  readonly conditions: readonly Condition[];
  readonly name: string;
  /** Of the pattern among the route's, which decides between two that differ in nothing else. */
  readonly place: number;
}

/** As `Array.sort` asks: below 0 when `one` comes first. No two entries of one table are equal. */
export const compareRanked = (one: Ranked, other: Ranked): number =>
  other.priority - one.priority ||
  hostRank(one.conditions) - hostRank(other.conditions) ||
  comparePatterns(one.pattern, other.pattern) ||
  other.conditions.length - one.conditions.length ||
  headRank(one.conditions) - headRank(other.conditions) ||
  compareTexts(one.name, other.name) ||
  one.place - other.place;

/** 0 for a host; then domains, of which the longer is nearer; no host is last. */
const hostRank = (conditions: readonly Condition[]): number => {
  for (const condition of conditions) {
    if (condition.kind === "host") return 0;
    if (condition.kind === "below") return 1_000 - condition.domain.length;
  }
  return 1_001;
};

/** What is written for `HEAD` comes before what takes it along with `GET`. */
const headRank = (conditions: readonly Condition[]): number =>
  conditions.some((condition) => condition.kind === "methods" && condition.namesHead) ? 0 : 1;

const comparePatterns = (one: PathPattern, other: PathPattern): number => {
  const length = Math.max(one.segments.length, other.segments.length);
  for (let index = 0; index <= length; index++) {
    const difference = segmentRank(one, index) - segmentRank(other, index);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** At the end of both, the one that ends there says more than the one that goes on with anything. */
const segmentRank = ({ segments, rest }: PathPattern, index: number): number => {
  const segment: PatternSegment | undefined = segments[index];
  if (segment) return segment.kind === "literal" ? 0 : 1;
  return rest ? 3 : 2;
};

/** By UTF-16 units: the same wherever it runs. */
const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
