/** A part of a policy as several layers write it: each stronger than the one before it, field by field where it has fields. */

/** Undefined where none writes it, or the last word is `false`. */
export const mergedPart = <Written>(
  layers: readonly (Written | false | undefined)[],
): Exclude<Written, undefined> | undefined => {
  let merged: unknown;
  for (const layer of layers) {
    if (layer === undefined) continue;
    merged = hasFields(layer) && hasFields(merged) ? { ...merged, ...layer } : layer;
  }
  return merged === false ? undefined : (merged as Exclude<Written, undefined> | undefined);
};

const hasFields = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
