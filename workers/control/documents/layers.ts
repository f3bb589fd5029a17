/** A service's configuration as the layers of its documents, as they stand and as they would after an edit. */
import { type Flag, type FlagTable, flagSchema } from "#shared/config/flags/flag.ts";
import { type Layer, type Merged, mergeDocuments } from "#shared/config/merge.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import type { ConfigSides, DocumentName, EffectiveConfig } from "../part.ts";
import { DEFAULT_PROFILE, nameOf, SHARED } from "./document.ts";
import type { DocumentTables } from "./document-tables.ts";

/** A document in a layer's place; a content of null is none. */
export interface Standing {
  readonly revision: number;
  readonly content: JsonObject | null;
}

/** What a document has in force and in candidacy; absent is none. */
export interface DocumentSides {
  readonly stable?: Standing;
  readonly candidate?: Standing;
}

/** Looks up documents and schemas; an edit that is not written yet may stand before what is stored. */
export interface View {
  document(name: DocumentName): DocumentSides;
  schema(service: string): JsonObject | undefined;
}

/** What both sides of a configuration are made of; `candidate` only when a document of it has one. */
export interface MergedSides {
  readonly stable: MergedLayers;
  readonly candidate?: MergedLayers & { readonly document: DocumentName };
}

export interface MergedLayers extends Merged {
  readonly layers: readonly Layer[];
}

/** From the weakest to the strongest. */
export const layerNames = ({ service, profile }: DocumentName): DocumentName[] => {
  const services = service === SHARED ? [SHARED] : [SHARED, service];
  const profiles = profile === DEFAULT_PROFILE ? [profile] : [DEFAULT_PROFILE, profile];
  return profiles.flatMap((profile) => services.map((service) => ({ service, profile })));
};

/** The top-level fields of shared documents that a service takes; undefined for all of them. */
const fieldsTaken = (schema: JsonObject | undefined): ReadonlySet<string> | undefined => {
  if (!schema) return undefined;
  const properties = schema.properties;
  const declared = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  return new Set([...declared, "flags"]);
};

/** Each document is read once: a view is made for one look at things as they stand. */
export const storedView = (tables: DocumentTables): View => {
  const documents = new Map<string, DocumentSides>();
  const schemas = new Map<string, JsonObject | undefined>();
  const standing = (name: DocumentName, revision: number | null): Standing | undefined => {
    const content = tables.contentAt(name, revision);
    return revision !== null && content ? { revision, content } : undefined;
  };
  const sidesOf = (name: DocumentName): DocumentSides => {
    const row = tables.find(name);
    const stable = row && standing(name, row.stable);
    const candidate = row && standing(name, row.candidate);
    return { ...(stable && { stable }), ...(candidate && { candidate }) };
  };
  const schemaOf = (service: string): JsonObject | undefined => {
    const row = tables.schema(service);
    return row && (JSON.parse(row.content) as JsonObject);
  };
  return {
    document(name) {
      const sides = documents.get(nameOf(name)) ?? sidesOf(name);
      documents.set(nameOf(name), sides);
      return sides;
    },
    schema(service) {
      if (!schemas.has(service)) schemas.set(service, schemaOf(service));
      return schemas.get(service);
    },
  };
};

/** The view with some documents as they would be. */
export const editedView = (view: View, edited: ReadonlyMap<string, DocumentSides>): View => ({
  document: (name) => edited.get(nameOf(name)) ?? view.document(name),
  schema: (service) => view.schema(service),
});

/** The shared documents are narrowed to the fields that the service takes. */
export const mergedSides = (view: View, name: DocumentName): MergedSides => {
  const fields = fieldsTaken(view.schema(name.service));
  const found = layerNames(name).map((layer) => ({ name: layer, sides: view.document(layer) }));
  const layersBy = (pick: (sides: DocumentSides) => Standing | undefined): Layer[] =>
    found.flatMap(({ name: layer, sides }) => {
      const standing = pick(sides);
      if (!standing?.content) return [];
      const narrowed = layer.service === SHARED && name.service !== SHARED && fields;
      const { revision, content } = standing;
      return [{ document: nameOf(layer), revision, content, ...(narrowed && { fields: narrowed }) }];
    });

  const merged = (layers: readonly Layer[]): MergedLayers =>
    Object.assign(mergeDocuments(layers), { layers });
  const stable = merged(layersBy((sides) => sides.stable));
  const rolling = found.find(({ sides }) => sides.candidate);
  if (!rolling) return { stable };
  const candidate = merged(layersBy((sides) => sides.candidate ?? sides.stable));
  return { stable, candidate: Object.assign(candidate, { document: rolling.name }) };
};

/** As isolates get it, secrets still sealed as they are at rest. */
export const effectiveConfig = (tables: DocumentTables, name: DocumentName): EffectiveConfig => {
  const { stable, candidate } = mergedSides(storedView(tables), name);
  return {
    epoch: tables.epochOf(name.service, layerNames(name)),
    stable: configSides(stable),
    ...(candidate && { candidate: { ...configSides(candidate), document: candidate.document } }),
  };
};

const configSides = (merged: Merged): ConfigSides => {
  const { flags, ...value } = merged.value;
  return {
    value,
    flags: flagTable(flags),
    get origins() {
      return merged.origins;
    },
  };
};

/** What does not fit was refused when it was written; should it stand all the same, it is not served. */
const flagTable = (flags: unknown): FlagTable => {
  if (typeof flags !== "object" || flags === null) return {};
  const parsed = Object.entries(flags).map(([key, flag]) => [key, flagSchema.safeParse(flag)] as const);
  return Object.fromEntries(
    parsed.flatMap(([key, flag]): [string, Flag][] => (flag.success ? [[key, flag.data]] : [])),
  );
};
