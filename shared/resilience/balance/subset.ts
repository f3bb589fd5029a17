/** Some of a list's instances, and the list that they are part of: what is learned of them is learned of the whole list. */

const wholes = new WeakMap<readonly object[], readonly object[]>();

/** The list itself when all are kept. To be made once for each list: what is told of a list is told by its identity. */
export const subsetOf = <Target extends object>(
  whole: readonly Target[],
  keep: (target: Target) => boolean,
): readonly Target[] => {
  const kept = whole.filter(keep);
  if (kept.length === whole.length) return whole;
  wholes.set(kept, wholeOf(whole));
  return kept;
};

/** The list itself where it is no subset. */
export const wholeOf = <Target extends object>(targets: readonly Target[]): readonly Target[] =>
  (wholes.get(targets) as readonly Target[] | undefined) ?? targets;
