/** What a `content` of a document declares for a media type. */
import { entriesOf, isJsonObject, type JsonObject } from "../../documents/service-document.ts";

/** "application/json" of "Application/JSON; charset=utf-8"; empty where there is none. */
export const essenceOf = (contentType: string | null): string =>
  (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

export const isJsonType = (essence: string): boolean =>
  essence === "application/json" || /^[\w.-]+\/[\w.-]+\+json$/.test(essence);

export interface MediaTypes {
  /** The most particular one that is declared for it; undefined when none is. */
  of(essence: string): JsonObject | undefined;
  readonly names: readonly string[];
}

export const mediaTypes = (content: unknown): MediaTypes => {
  const declared = entriesOf(content).map(([range, value]): [string, JsonObject] => [
    essenceOf(range),
    isJsonObject(value) ? value : {},
  ]);
  const byRange = new Map(declared);
  return {
    of: (essence) =>
      byRange.get(essence) ?? byRange.get(`${essence.split("/", 1)[0]}/*`) ?? byRange.get("*/*"),
    names: declared.map(([range]) => range),
  };
};
