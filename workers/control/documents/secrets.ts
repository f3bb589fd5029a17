/** The secrets of a document: found, shown by their fingerprints only, sealed when they come, opened for checking. */
import type { Origins } from "#shared/config/merge.ts";
import { dottedPath } from "#shared/config/path.ts";
import type { Sealed } from "#shared/config/sealing.ts";
import type { JsonObject, JsonValue } from "#shared/control/changes.ts";

const FIELD = "$secret";

/** A secret where it stands; `held` is whatever its `$secret` holds. */
export interface FoundSecret {
  readonly keys: readonly string[];
  readonly held: JsonValue;
  /** Whether nothing stands beside `$secret`. */
  readonly alone: boolean;
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Walks objects and arrays in order; an element's key is its index. */
export const secretsOf = (content: JsonValue): FoundSecret[] => {
  const found: FoundSecret[] = [];
  const keys: string[] = [];
  const walk = (value: JsonValue): void => {
    if (typeof value !== "object" || value === null) return;
    if (isObject(value) && Object.hasOwn(value, FIELD)) {
      const alone = Object.keys(value).length === 1;
      found.push({ keys: [...keys], held: value[FIELD] as JsonValue, alone });
      return;
    }
    for (const key of Object.keys(value)) {
      keys.push(key);
      walk((value as JsonObject)[key] as JsonValue);
      keys.pop();
    }
  };
  walk(content);
  return found;
};

/** The same content with something else in place of each secret; the very same object where there is none. */
export const withSecrets = (
  content: JsonObject,
  replace: (held: JsonValue, path: string) => JsonValue,
): JsonObject => {
  if (secretsOf(content).length === 0) return content;
  const walk = (value: JsonValue, keys: readonly string[]): JsonValue => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...keys, `${index}`]));
    if (!isObject(value)) return value;
    if (Object.hasOwn(value, FIELD)) return replace(value[FIELD] as JsonValue, dottedPath(keys));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...keys, key])]));
  };
  return walk(content, []) as JsonObject;
};

/** As clients may see it. */
export const redacted = (content: JsonObject): JsonObject =>
  withSecrets(content, (held) => ({ [FIELD]: { fingerprint: (held as unknown as Sealed).fingerprint } }));

export const storedSecret = (sealed: Sealed): JsonObject => ({ [FIELD]: { ...sealed } });

/** What a stored content's secret holds. */
export const sealedOf = ({ held }: FoundSecret): Sealed => held as unknown as Sealed;

/** Where a secret of a document is sealed: "orders/production#database.password". */
export const placeOf = (document: string, path: string): string => `${document}#${path}`;

/**
 * A merged configuration with something else in place of each sealed secret; `place` is where it was sealed.
 * Rejects with what `replace` rejects with.
 */
export const replaceSealed = async (
  merged: { readonly value: JsonObject; readonly origins: Origins },
  replace: (sealed: Sealed, place: string, path: string) => Promise<JsonValue>,
): Promise<JsonObject> => {
  const { value } = merged;
  const found = secretsOf(value);
  if (found.length === 0) return value;
  const { origins } = merged;
  const replaced = await Promise.all(
    found.map(async (secret) => {
      const path = dottedPath(secret.keys);
      const place = placeOf(documentAt(origins, secret.keys), path);
      return [path, await replace(sealedOf(secret), place, path)] as const;
    }),
  );
  const byPath = new Map(replaced);
  return withSecrets(value, (_, path) => byPath.get(path) as JsonValue);
};

/** A secret within an array has no origin of its own: the array has. */
const documentAt = (origins: Origins, keys: readonly string[]): string => {
  for (let length = keys.length; length > 0; length--) {
    const path = dottedPath(keys.slice(0, length));
    const origin = Object.hasOwn(origins, path) ? origins[path] : undefined;
    if (origin) return origin.document;
  }
  throw new Error(`Looking for the origin of the secret at "${dottedPath(keys)}": expected one`);
};
