/** Freezes a value through and through, so that what many read nobody changes. */

export const frozen = <T>(item: T): T => {
  if (typeof item !== "object" || item === null || Object.isFrozen(item)) return item;
  for (const each of Object.values(item)) frozen(each);
  return Object.freeze(item);
};
