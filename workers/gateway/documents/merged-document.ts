/** One OpenAPI document of all services, as the gateway's clients call them. */
import { COMPONENT_SECTIONS, documentNames, sharedSchemaOf } from "./document-names.ts";
import { type MovedDocument, movedDocument } from "./moved-document.ts";
import type { JsonObject, ServiceDocument } from "./service-document.ts";

/** A service whose document is not in the merged one, and why. */
export interface MissingDocument {
  readonly service: string;
  readonly major: number;
  /** A few words. */
  readonly reason: string;
}

/** Where each service's own document is found. */
export interface ListedDocument {
  readonly name: string;
  readonly major: number;
  readonly url: string;
}

export interface MergedDocumentParts {
  readonly origin: string;
  readonly documents: readonly ServiceDocument[];
  readonly missing: readonly MissingDocument[];
  readonly listed: readonly ListedDocument[];
}

/** Never throws, whatever the documents hold. */
export const mergedDocument = ({ origin, documents, missing, listed }: MergedDocumentParts): JsonObject => {
  const shared = mostCommon(documents.map(sharedSchemaOf));
  const moved = documents.map((each) => movedDocument(each, documentNames(each, shared)));
  const webhooks = moved.flatMap((each) => each.webhooks);
  return {
    openapi: "3.1.0",
    info: {
      title: "Skerry",
      version: "1.0.0",
      description: "Every service behind this gateway. Names begin with the service and its major version.",
    },
    servers: [{ url: origin }],
    tags: usedTags(moved),
    paths: Object.fromEntries(moved.flatMap(({ paths }) => paths)),
    ...(webhooks.length > 0 && { webhooks: Object.fromEntries(webhooks) }),
    components: componentsOf(moved),
    "x-skerry-documents": listed,
    "x-skerry-missing": missing,
  };
};

/** The first of those that most have; undefined when nobody has one. */
const mostCommon = (texts: readonly (string | undefined)[]): string | undefined => {
  const counts = new Map<string, number>();
  for (const text of texts) if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [first] = [...counts].sort(([, one], [, other]) => other - one);
  return first?.[0];
};

/** Of a tag that two parts of one document describe the first is kept. */
const usedTags = (moved: readonly MovedDocument[]): JsonObject[] => {
  const byName = new Map<unknown, JsonObject>();
  for (const tag of moved.flatMap(({ tags }) => tags)) if (!byName.has(tag.name)) byName.set(tag.name, tag);
  return [...byName.values()];
};

const componentsOf = (moved: readonly MovedDocument[]): JsonObject =>
  Object.fromEntries(
    COMPONENT_SECTIONS.flatMap((section): [string, JsonObject][] => {
      const entries = moved.flatMap(({ components }) => components.get(section) ?? []);
      // The shared schema comes once for each service that has it.
      return entries.length === 0 ? [] : [[section, Object.fromEntries(entries)]];
    }),
  );
