/** A request's path cut into segments, in memory that is used for one request after another. */
import { LIMITS } from "#shared/limits.ts";
import { decodedSegment, isDotSegment } from "./path-pattern.ts";

/** One more than patterns have: what goes on beyond them fits only `*`. */
const SEGMENTS = LIMITS.routeSegments + 1;

export interface AskedPath {
  /** False for what is not looked for: no leading slash, or a segment of dots that others would take out of the path. */
  about(path: string): boolean;
  /** Without an empty one at the end: `/a/` has one. Further ones than patterns can have do not count. */
  count(): number;
  isEmpty(index: number): boolean;
  /** Percent-decoded, for literals; undefined when its encoding is malformed, and then it is no literal. */
  text(index: number): string | undefined;
  /** Percent-decoded, or as it came when that cannot be. */
  value(index: number): string;
}

export const askedPath = (): AskedPath => {
  let path = "/";
  let segments = 0;
  const starts = new Int32Array(SEGMENTS);
  const ends = new Int32Array(SEGMENTS);
  const raw = (index: number): string => path.slice(starts[index], ends[index]);

  return {
    about(asked) {
      path = asked;
      segments = 0;
      if (!path.startsWith("/") || hasDotSegment(path)) return false;
      const length = path.endsWith("/") ? path.length - 1 : path.length;
      for (let start = 1; start <= length && segments < SEGMENTS; segments++) {
        const slash = path.indexOf("/", start);
        const end = slash < 0 || slash > length ? length : slash;
        starts[segments] = start;
        ends[segments] = end;
        start = end + 1;
      }
      return true;
    },
    count: () => segments,
    isEmpty: (index) => starts[index] === ends[index],
    text: (index) => decodedSegment(raw(index)),
    value: (index) => decodedSegment(raw(index)) ?? raw(index),
  };
};

/** Also of percent-encoded dots, which the URL standard takes for dots. */
const hasDotSegment = (path: string): boolean => {
  if (!path.includes("/.") && !path.includes("/%2")) return false;
  return path.split("/").some((segment) => segment.length <= 6 && isDotSegment(decodedSegment(segment)));
};
