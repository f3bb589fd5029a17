/** How values and changes of documents are written for people. */
import { stringify } from "yaml";
import type { Change } from "#shared/config/diff.ts";
import type { JsonValue } from "#shared/control/changes.ts";

/** A value as YAML, its line or lines ended. */
export const yamlOf = (value: JsonValue): string => stringify(value, { lineWidth: 0 });

const shown = (value: JsonValue | undefined): string =>
  value === undefined ? "(nothing)" : JSON.stringify(value);

/** `cache.ttlSeconds: 5 → 10`. */
export const changeLine = ({ path, before, after }: Change): string =>
  `${path}: ${shown(before)} → ${shown(after)}`;

/** All changes in one cell of a table. */
export const changeCell = (changes: readonly Change[] | undefined): string => {
  if (changes === undefined) return "(no longer kept)";
  return changes.length === 0 ? "(nothing)" : changes.map(changeLine).join("; ");
};

/** A value as it is typed: JSON, else text. */
export const typedValue = (text: string): JsonValue => {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
};
