/** Places of a document by their dotted path: read, changed, removed; the document itself stays as it is. */
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";
import { CliFailure } from "../failure.ts";

/** The keys of a dotted path; a backslash takes the dot after it into the key, as `dottedPath` writes it. */
export const keysOf = (path: string): string[] => {
  const found = path.matchAll(/(?:^|\.)((?:\\.?|[^\\.])*)/g);
  const keys = [...found].map(([, key = ""]) => key.replace(/\\(.)/g, "$1"));
  if (keys.includes("")) {
    throw new CliFailure(`cannot use the path "${path}": expected keys with dots between them, as in a.b`, 2);
  }
  return keys;
};

const isBranch = (value: JsonValue | undefined): value is JsonObject | readonly JsonValue[] =>
  typeof value === "object" && value !== null;

const child = (value: JsonValue | undefined, key: string): JsonValue | undefined =>
  isBranch(value) && Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;

/** The value at a path; undefined when there is nothing. */
export const valueAt = (document: JsonObject, path: string): JsonValue | undefined =>
  keysOf(path).reduce<JsonValue | undefined>(child, document);

/** @throws CliFailure when something on the way has no place for the key */
export const withValueAt = (document: JsonObject, path: string, value: JsonValue): JsonObject =>
  changed(document, keysOf(path), { path, value }) as JsonObject;

/** @throws CliFailure with exit code 3 when there is nothing at the path */
export const withoutValueAt = (document: JsonObject, path: string): JsonObject => {
  if (valueAt(document, path) === undefined) throw nothingAt(path);
  return changed(document, keysOf(path), { path }) as JsonObject;
};

export const nothingAt = (path: string): CliFailure =>
  new CliFailure(`cannot find "${path}" in the document: expected a path that is there`, 3);

interface Change {
  /** The whole path, for messages. */
  readonly path: string;
  /** Absent: what is there goes. */
  readonly value?: JsonValue;
}

const changed = (node: JsonValue | undefined, keys: readonly string[], change: Change): JsonValue => {
  const [key = "", ...rest] = keys;
  const next = (from: JsonValue | undefined) =>
    rest.length === 0 ? change.value : changed(from, rest, change);
  if (Array.isArray(node)) return changedArray(node, key, next, change.path);
  if (node !== undefined && !isBranch(node)) {
    throw new CliFailure(
      `cannot change "${change.path}": expected an object where "${key}" should be, found ${JSON.stringify(node)}`,
    );
  }
  const value = next(child(node, key));
  const others = Object.entries(node ?? {}).filter(([name]) => name !== key);
  if (value === undefined) return Object.fromEntries(others);
  const known = node !== undefined && Object.hasOwn(node, key);
  const entries = known
    ? Object.entries(node).map(([name, held]) => [name, name === key ? value : held] as const)
    : [...others, [key, value] as const];
  return Object.fromEntries(entries) as JsonObject;
};

const changedArray = (
  items: readonly JsonValue[],
  key: string,
  next: (from: JsonValue | undefined) => JsonValue | undefined,
  path: string,
): JsonValue => {
  const index = /^\d{1,6}$/.test(key) ? Number(key) : -1;
  if (index < 0 || index > items.length) {
    throw new CliFailure(
      `cannot change "${path}": expected an index from 0 to ${items.length} instead of "${key}"`,
    );
  }
  const value = next(items[index]);
  return value === undefined ? items.toSpliced(index, 1) : items.toSpliced(index, 1, value);
};
