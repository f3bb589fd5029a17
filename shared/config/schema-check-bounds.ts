/** Looks over a JSON value before anything recurses into it. */
import type { FieldFault } from "../http/problem.ts";
import { LIMITS } from "../limits.ts";
import { dottedPath } from "./path.ts";

export interface Extent {
  /** The first thing that is too deep, too long, too much, or no JSON. */
  readonly fault: FieldFault | undefined;
  /** Items or fields of the largest array or object. */
  readonly widest: number;
}

const isName = (key: string): boolean => key.isWellFormed() && key.length <= LIMITS.configNameCharacters;

const isJsonLeaf = (value: unknown): boolean =>
  value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value);

/** Never throws, whatever `value` is, cyclic values included. */
export const extentOf = (value: unknown): Extent => {
  let nodes = 0;
  let widest = 0;

  const look = (each: unknown, path: readonly string[]): FieldFault | undefined => {
    const fault = (message: string): FieldFault => ({ path: dottedPath(path), message });
    nodes++;
    if (nodes > LIMITS.configNodes) {
      return { path: "", message: `expected at most ${LIMITS.configNodes} values in all` };
    }
    if (typeof each === "string" && each.length > LIMITS.configTextCharacters) {
      return fault(`expected at most ${LIMITS.configTextCharacters} characters`);
    }
    if (typeof each !== "object" || each === null) {
      return isJsonLeaf(each) ? undefined : fault(`expected JSON, not ${typeof each}`);
    }
    if (path.length >= LIMITS.configDepth) return fault(`expected at most ${LIMITS.configDepth} levels`);
    const keys = Object.keys(each);
    widest = Math.max(widest, keys.length);
    for (const key of keys) {
      if (!isName(key)) {
        return fault(
          `expected names of well-formed Unicode of at most ${LIMITS.configNameCharacters} characters`,
        );
      }
      const inner = look((each as Record<string, unknown>)[key], [...path, key]);
      if (inner) return inner;
    }
    return undefined;
  };

  return { fault: look(value, []), widest };
};
