/** Which places of a configuration its schema marks `"secret": true`. */
import type { Schema } from "@cfworker/json-schema";
import { type CompiledNode, type CompiledSchema, compileSchema, inPlace } from "./schema-check-compile.ts";

/** Whether the value at a path is secret; a path below a secret is, too. */
export type IsSecret = (path: readonly string[]) => boolean;

/** All schemas that may speak of the very same value as these. */
const closure = (nodes: Iterable<CompiledNode>, compiled: CompiledSchema): Set<Schema> => {
  const found = new Set<Schema>();
  const waiting = [...nodes];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node === "boolean" || found.has(node)) continue;
    found.add(node);
    for (const same of inPlace(node, compiled.lookup)) waiting.push(same);
  }
  return found;
};

/** The schemas that may speak of the field or item `part`. */
const inside = (node: Schema, part: string): CompiledNode[] => {
  const own = node.properties;
  const patterns: [string, CompiledNode][] = Object.entries(node.patternProperties ?? {});
  return [
    ...(own && Object.hasOwn(own, part) ? [own[part] ?? true] : []),
    ...patterns.filter(([pattern]) => new RegExp(pattern, "u").test(part)).map(([, schema]) => schema),
    ...(node.prefixItems ?? []),
    ...[node.additionalProperties, node.unevaluatedProperties, node.unevaluatedItems, node.contains],
    ...[node.items as CompiledNode | undefined],
  ].filter((each) => each !== undefined);
};

const isMarked = (node: Schema): boolean => node.secret === true;

/** A place of a configuration, as all schemas see it that may speak of it. */
export interface SecretPlace {
  readonly secret: boolean;
  /** What is below a secret is one, too. */
  inside(part: string): SecretPlace;
}

/**
 * Places that the same schemas speak of are the same object: ten thousand entries of a record are one place.
 */
const secretPlaces = (compiled: CompiledSchema): SecretPlace => {
  const numbers = new Map<Schema, number>();
  const places = new Map<string, SecretPlace>();
  const numberOf = (node: Schema): number => {
    const number = numbers.get(node) ?? numbers.size;
    numbers.set(node, number);
    return number;
  };

  const placeOf = (found: Iterable<CompiledNode>): SecretPlace => {
    const nodes = [...closure(found, compiled)];
    const key = nodes
      .map(numberOf)
      .sort((one, other) => one - other)
      .join(" ");
    const known = places.get(key);
    if (known) return known;
    const made = newPlace(nodes);
    places.set(key, made);
    return made;
  };

  const newPlace = (nodes: readonly Schema[]): SecretPlace => {
    const secret = nodes.some(isMarked);
    const named = new Map<string, SecretPlace>();
    const hasPatterns = nodes.some(({ patternProperties }) => patternProperties);
    let others: SecretPlace | undefined;
    const lookInside = (part: string) => placeOf(nodes.flatMap((node) => inside(node, part)));
    const place: SecretPlace = {
      secret,
      inside(part) {
        if (secret || nodes.length === 0) return place;
        if (hasPatterns) return lookInside(part);
        if (!nodes.some(({ properties }) => properties && Object.hasOwn(properties, part))) {
          others ??= lookInside(part);
          return others;
        }
        const known = named.get(part) ?? lookInside(part);
        named.set(part, known);
        return known;
      },
    };
    return place;
  };

  return placeOf([compiled.root]);
};

export const secretFieldsOf = (compiled: CompiledSchema): IsSecret => {
  const root = secretPlaces(compiled);
  return (path) => path.reduce((place, part) => place.inside(part), root).secret;
};

const NOWHERE: SecretPlace = { secret: false, inside: () => NOWHERE };

/** Any alternative, condition or reference of `schema` that marks a place makes it secret. Nothing is, when it is not valid. */
export const secretPlace = (schema: unknown): SecretPlace => {
  const compiled = compileSchema(schema, () => {});
  return compiled.faults.length > 0 ? NOWHERE : secretPlaces(compiled);
};
