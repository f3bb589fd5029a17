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
 * The same value with the text in the place of each `{"$secret": Sealed}`.
 * @throws SecretNotOpened for the first one that cannot be
 */
export const openSecrets = async (
  value: JsonObject,
  { service, secrets }: { service: string; secrets: Pick<Sealer, "open"> | undefined },
): Promise<JsonObject> => {
  const open = async (sealed: JsonValue, keys: readonly string[]): Promise<string> => {
    const path = dottedPath(keys);
    try {
      if (!secrets) throw new Error("The service has no keys");
      return await secrets.open(sealed as unknown as Sealed, `${service}#${path}`);
    } catch (cause) {
      throw new SecretNotOpened(path, { cause });
    }
  };

  const opened = async (item: JsonValue, keys: readonly string[]): Promise<JsonValue> => {
    if (typeof item !== "object" || item === null) return item;
    if (isList(item)) return Promise.all(item.map((each, index) => opened(each, [...keys, `${index}`])));
    const sealed = sealedIn(item);
    return sealed === undefined ? openedFields(item, keys) : open(sealed, keys);
  };

  const openedFields = async (item: JsonObject, keys: readonly string[]): Promise<JsonObject> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(item).map(
          async ([field, each]) => [field, await opened(each, [...keys, field])] as const,
        ),
      ),
    );

  return openedFields(value, []);
};

const isList = (item: object): item is readonly JsonValue[] => Array.isArray(item);

const sealedIn = (item: JsonObject): JsonValue | undefined =>
  Object.keys(item).length === 1 && Object.hasOwn(item, "$secret") ? item.$secret : undefined;
