/** What changed from one content of a document to another. */
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { canonicalJson } from "../http/canonical-json.ts";
import { isBranch } from "./merge.ts";
import { dottedPath } from "./path.ts";

/** `before` is absent for what was added, `after` for what was removed. */
export interface Change {
  readonly path: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** Sorted by path; an object that is new or gone is told leaf by leaf. */
export const diffOf = (before: JsonObject, after: JsonObject): Change[] => {
  const old = leavesOf(before);
  const now = leavesOf(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((path) => {
    const [from, to] = [old.get(path), now.get(path)];
    if (from !== undefined && to !== undefined && canonicalJson(from) === canonicalJson(to)) return [];
    return [{ path, ...(from !== undefined && { before: from }), ...(to !== undefined && { after: to }) }];
  });
};

const leavesOf = (content: JsonObject): Map<string, JsonValue> => {
  const leaves = new Map<string, JsonValue>();
  const walk = (branch: JsonObject, keys: readonly string[]): void => {
    for (const [key, value] of Object.entries(branch)) {
      const place = [...keys, key];
      if (isBranch(value) && Object.keys(value).length > 0) walk(value, place);
      else leaves.set(dottedPath(place), value);
    }
  };
  walk(content, []);
  return leaves;
};
