/** Whose share of good answers is worse than chance explains. */

export interface SuccessCounts {
  answers: number;
  failures: number;
}

/**
 * Each is held against all of its peers together, itself left out: that works from two instances on, where the deviation
 * of a mean that holds the outlier itself (as Envoy's) needs five to tell anything.
 * @returns the worst first; of those whose peers are no better than they nobody
 */
export const belowItsPeers = <Counts extends SuccessCounts>(
  judged: readonly Counts[],
  { deviations, gapMin }: { readonly deviations: number; readonly gapMin: number },
): readonly Counts[] => {
  let answers = 0;
  let failures = 0;
  for (const each of judged) {
    answers += each.answers;
    failures += each.failures;
  }
  return judged
    .filter((each) => {
      const others = answers - each.answers;
      if (others === 0) return false;
      const expected = 1 - (failures - each.failures) / others;
      const error = Math.sqrt((expected * (1 - expected)) / each.answers);
      return successRate(each) < expected - Math.max(gapMin, deviations * error);
    })
    .sort((one, other) => successRate(one) - successRate(other));
};

const successRate = ({ answers, failures }: SuccessCounts): number => 1 - failures / answers;
