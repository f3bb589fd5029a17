/** How much of its weight an instance gets that has just come: caches are cold and code is not yet compiled. */

/** Of its weight from the first moment: without any work nothing warms up. */
const FIRST_SHARE = 0.1;

/**
 * Grows evenly from a tenth to the whole weight.
 * @param agedMs since it became eligible; Infinity for one that was there before anybody looked
 * @param slowStartMs 0 for none
 */
export const rampedWeight = (weight: number, agedMs: number, slowStartMs: number): number =>
  agedMs >= slowStartMs ? weight : weight * Math.max(FIRST_SHARE, agedMs / slowStartMs);
