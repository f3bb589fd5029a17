/** Freezes a value through and through, so that what many read nobody changes. */

/** What is frozen already is entered all the same: Zod's `readonly()` freezes only the outermost. */
export const frozen = <T>(item: T): T => {
  if (typeof item !== "object" || item === null) return item;
  for (const each of Object.values(item)) frozen(each);
  return Object.freeze(item);
};
