/** Opens the sealed values of a service's configuration. */
import type { JsonObject, JsonValue } from "../control/changes.ts";
import { dottedPath } from "./path.ts";
import type { Sealed, Sealer } from "./sealing.ts";

/** A value that could not be opened, and where it stands, as {@link dottedPath}. */
export class SecretNotOpened extends Error {
  override readonly name = "SecretNotOpened";
  readonly path: string;
  constructor(path: string, options?: ErrorOptions) {
    super("The secret could not be opened with the service's keys", options);
    this.path = path;
  }
}

/**
 * The same value with the text in the place of each `{"$secret": Sealed}`; the very same object when there is none.
 * @throws SecretNotOpened for the first one that cannot be
 */
export const openSecrets = async (
  value: JsonObject,
  { service, secrets }: { service: string; secrets: Pick<Sealer, "open"> | undefined },
): Promise<JsonObject> => {
  const found = sealedIn(value);
  if (found.size === 0) return value;

  const open = async (holder: JsonValue, keys: readonly string[]): Promise<[JsonValue, string]> => {
    const path = dottedPath(keys);
    try {
      if (!secrets) throw new Error("The service has no keys");
      const sealed = (holder as JsonObject).$secret as unknown as Sealed;
      return [holder, await secrets.open(sealed, `${service}#${path}`)];
    } catch (cause) {
      throw new SecretNotOpened(path, { cause });
    }
  };
  const texts = new Map(await Promise.all(Array.from(found, ([holder, keys]) => open(holder, keys))));
  return withTexts(value, texts) as JsonObject;
};

/**
 * By the object that holds it, where it stands. No promise and no path for each value: a configuration may have a hundred
 * thousand, and hardly any secret.
 */
const sealedIn = (value: JsonObject): ReadonlyMap<JsonValue, readonly string[]> => {
  const found = new Map<JsonValue, readonly string[]>();
  const keys: string[] = [];
  const look = (item: object): void => {
    for (const key of Object.keys(item)) {
      const inner = (item as Record<string, JsonValue>)[key];
      if (typeof inner !== "object" || inner === null) continue;
      keys.push(key);
      if (isSealed(inner)) found.set(inner, [...keys]);
      else look(inner);
      keys.pop();
    }
  };
  look(value);
  return found;
};

const withTexts = (item: JsonValue, texts: ReadonlyMap<JsonValue, string>): JsonValue => {
  if (typeof item !== "object" || item === null) return item;
  const text = texts.get(item);
  if (text !== undefined) return text;
  if (isList(item)) return item.map((each) => withTexts(each, texts));
  return Object.fromEntries(Object.entries(item).map(([field, each]) => [field, withTexts(each, texts)]));
};

const isList = (item: object): item is readonly JsonValue[] => Array.isArray(item);

const isSealed = (item: object): boolean =>
  Object.hasOwn(item, "$secret") && !isList(item) && Object.keys(item).length === 1;
