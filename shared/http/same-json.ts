/** Whether two JSON values say the same, without writing either of them down. */

/** The order of fields does not matter, and one that is undefined is not there; what is the very same object is not entered. */
export const sameJson = (one: unknown, other: unknown): boolean => {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) return sameItems(one, other);
  let fields = 0;
  for (const key of Object.keys(one)) {
    const value = (one as Record<string, unknown>)[key];
    if (value === undefined) continue;
    fields++;
    if (!Object.hasOwn(other, key) || !sameJson(value, (other as Record<string, unknown>)[key])) return false;
  }
  return fields === fieldsOf(other);
};

const sameItems = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) &&
  Array.isArray(other) &&
  one.length === other.length &&
  one.every((item, index) => sameJson(item, other[index]));

const fieldsOf = (value: object): number => {
  let fields = 0;
  for (const each of Object.values(value)) if (each !== undefined) fields++;
  return fields;
};
