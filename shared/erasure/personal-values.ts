/** The personal values of one event's data: finding them, and putting others in their places. */
import type { PersonalField } from "./personal.ts";

export interface PersonalValue {
  /** From the top of the data: names of fields and indexes of items. */
  readonly path: readonly string[];
  /** Never null and never undefined. */
  readonly value: unknown;
  /** Whose it is; undefined when the data does not say. */
  readonly subject: string | undefined;
}

/** In the order of their declaration. */
export const personalValues = (data: object, fields: readonly PersonalField[]): PersonalValue[] =>
  fields.flatMap(({ path, subject }) => {
    const whose: unknown = (data as Record<string, unknown>)[subject];
    return valuesAt(data, path, []).map((found) => ({
      ...found,
      subject: typeof whose === "string" ? whose : undefined,
    }));
  });

const valuesAt = (
  value: unknown,
  [next, ...rest]: readonly string[],
  path: readonly string[],
): { path: readonly string[]; value: unknown }[] => {
  if (value === null || value === undefined) return [];
  if (next === undefined) return [{ path, value }];
  if (typeof value !== "object") return [];
  const names = next === "*" ? Object.keys(value) : [next];
  return names
    .filter((name) => Object.hasOwn(value, name))
    .flatMap((name) => valuesAt((value as Record<string, unknown>)[name], rest, [...path, name]));
};

/** The data with one value in the place of another; what is not on the way to it is the same object. */
export const withValue = <Data>(data: Data, [next, ...rest]: readonly string[], value: unknown): Data => {
  if (next === undefined) return value as Data;
  const inner = withValue((data as Record<string, unknown>)[next], rest, value);
  if (Array.isArray(data)) return data.with(Number(next), inner) as Data;
  return { ...data, [next]: inner };
};
