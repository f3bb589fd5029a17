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

export const secretFieldsOf = (compiled: CompiledSchema): IsSecret => {
  const secretBelow = (nodes: Set<Schema>, path: readonly string[]): boolean => {
    if ([...nodes].some(isMarked)) return true;
    const [part, ...rest] = path;
    if (part === undefined || nodes.size === 0) return false;
    return secretBelow(
      closure(
        [...nodes].flatMap((node) => inside(node, part)),
        compiled,
      ),
      rest,
    );
  };
  return (path) => secretBelow(closure([compiled.root], compiled), path);
};

/** Any alternative, condition or reference of `schema` that marks a place makes it secret. Nothing is, when it is not valid. */
export const secretFields = (schema: unknown): IsSecret => {
  const compiled = compileSchema(schema, () => {});
  return compiled.faults.length > 0 ? () => false : secretFieldsOf(compiled);
};
