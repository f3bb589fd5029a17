/** One service's document in the names of the merged one: every name, reference, tag and security requirement of it. */
import { COMPONENT_SECTIONS, type DocumentNames } from "./document-names.ts";
import { valueAt } from "./json-pointer.ts";
import { DATA_KEYWORDS } from "./modern-document.ts";
import { entriesOf, isJsonObject, type JsonObject, type ServiceDocument } from "./service-document.ts";

export interface MovedDocument {
  readonly tags: readonly JsonObject[];
  readonly paths: readonly [string, unknown][];
  readonly webhooks: readonly [string, unknown][];
  /** By section. */
  readonly components: ReadonlyMap<string, readonly [string, unknown][]>;
}

const METHODS: ReadonlySet<string> = new Set([
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
  "trace",
]);

/** Their value is an object whose keys are names, not words of the grammar. */
const NAMED: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "$defs",
  "definitions",
  "responses",
  "headers",
  "content",
  "encoding",
  "links",
]);

/** Tells of a reference that led out of its document or nowhere: nothing is fetched from elsewhere to show it. */
const UNRESOLVED = "x-skerry-unresolved";

/** Never throws, whatever `own.document` holds. */
export const movedDocument = (own: ServiceDocument, names: DocumentNames): MovedDocument => {
  const { document } = own;
  const operationIds = new Set<string>();

  const named = (value: unknown, move: (inner: unknown) => unknown): unknown =>
    isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, move(inner)]))
      : value;

  const reference = (keyword: string, written: string): [string, unknown] => {
    const moved = names.reference(written);
    return moved === undefined ? [UNRESOLVED, written] : [keyword, moved];
  };

  const mapping = (written: unknown): unknown =>
    Object.fromEntries(
      entriesOf(written).flatMap(([value, target]): [string, string][] => {
        const name = names.component("schemas", String(target));
        const moved = name === undefined ? names.reference(String(target)) : `#/components/schemas/${name}`;
        return moved === undefined ? [] : [[value, moved]];
      }),
    );

  const discriminator = (value: unknown): unknown =>
    isJsonObject(value) && value.mapping !== undefined
      ? { ...value, mapping: mapping(value.mapping) }
      : value;

  /** What an example shows is a client's data. */
  const example = (value: unknown): unknown => {
    if (!isJsonObject(value)) return value;
    const { value: shown, ...rest } = value;
    return { ...(node(rest) as JsonObject), ...(shown !== undefined && { value: shown }) };
  };

  const member = ([key, value]: [string, unknown]): [string, unknown] => {
    if (DATA_KEYWORDS.has(key) || key.startsWith("x-")) return [key, value];
    if ((key === "$ref" || key === "operationRef") && typeof value === "string") return reference(key, value);
    if (key === "operationId" && typeof value === "string") return [key, names.prefixed(value)];
    if (key === "discriminator") return [key, discriminator(value)];
    if (key === "examples") return [key, named(value, example)];
    if (key === "callbacks") return [key, named(value, callback)];
    return [key, NAMED.has(key) ? named(value, node) : node(value)];
  };

  const node = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(node);
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(member)) : value;
  };

  const callback = (value: unknown): unknown =>
    isJsonObject(value) && typeof value.$ref === "string" ? node(value) : named(value, pathItem);

  const operationId = (written: unknown): { operationId?: string } => {
    if (typeof written !== "string" || operationIds.has(written)) return {};
    operationIds.add(written);
    return { operationId: names.prefixed(written) };
  };

  const requirements = (written: unknown): unknown =>
    Array.isArray(written)
      ? written.map((each) =>
          Object.fromEntries(
            entriesOf(each).map(([name, scopes]) => [
              names.component("securitySchemes", name) ?? names.prefixed(name),
              scopes,
            ]),
          ),
        )
      : undefined;

  const operation = (value: unknown): unknown => {
    if (!isJsonObject(value)) return {};
    // Where a request goes is the gateway's matter.
    const { tags, operationId: id, security, servers: _, ...rest } = value;
    const own = textsOf(tags).map(names.prefixed);
    const required = requirements(security ?? document.security);
    return {
      tags: own.length > 0 ? own : [names.prefix],
      ...operationId(id),
      ...(node(rest) as JsonObject),
      ...(required !== undefined && { security: required }),
    };
  };

  const pathItem = (value: unknown): unknown => {
    if (!isJsonObject(value)) return {};
    const { servers: _, ...rest } = value;
    return Object.fromEntries(
      Object.entries(rest).map((entry) =>
        METHODS.has(entry[0]) ? [entry[0], operation(entry[1])] : member(entry),
      ),
    );
  };

  const MOVES: Readonly<Record<string, (value: unknown) => unknown>> = {
    examples: example,
    callbacks: callback,
    pathItems: pathItem,
  };

  const componentsOf = (section: string): [string, unknown][] =>
    entriesOf(valueAt(document, ["components", section])).flatMap(([name, value]): [string, unknown][] => {
      const moved = names.component(section, name);
      return moved === undefined ? [] : [[moved, (MOVES[section] ?? node)(value)]];
    });

  return {
    tags: tagsOf(document, names),
    paths: entriesOf(document.paths).flatMap(([path, value]): [string, unknown][] => {
      const moved = names.path(path);
      return moved === undefined ? [] : [[moved, pathItem(value)]];
    }),
    webhooks: entriesOf(document.webhooks).map(([name, value]) => [names.prefixed(name), pathItem(value)]),
    components: new Map(COMPONENT_SECTIONS.map((section) => [section, componentsOf(section)])),
  };
};

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

/** The service's own, then those that it has, in its order. */
const tagsOf = (document: JsonObject, { prefix, prefixed }: DocumentNames): JsonObject[] => {
  const { description } = isJsonObject(document.info) ? document.info : {};
  const written = Array.isArray(document.tags) ? document.tags : [];
  return [
    { name: prefix, ...(typeof description === "string" && description !== "" && { description }) },
    ...written.flatMap((tag) =>
      isJsonObject(tag) && typeof tag.name === "string" ? [{ ...tag, name: prefixed(tag.name) }] : [],
    ),
  ];
};
