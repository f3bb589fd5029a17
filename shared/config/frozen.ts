/** Freezes a value through and through, so that what many read nobody changes. */

/** What was frozen here, which need not be entered again: of ten thousand routes one has changed. */
const throughAndThrough = new WeakSet<object>();

/** What is frozen by others is entered all the same: Zod's `readonly()` freezes only the outermost. */
export const frozen = <T>(item: T): T => {
  if (typeof item !== "object" || item === null || throughAndThrough.has(item)) return item;
  for (const each of Object.values(item)) frozen(each);
  throughAndThrough.add(item);
  return Object.freeze(item);
};
