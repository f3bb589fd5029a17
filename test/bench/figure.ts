/** What a measurement yields: one of ours beside one of the bare thing, or a figure that stands alone. */

export interface Figure {
  readonly name: string;
  /** What both are counted in: "requests/s". */
  readonly unit: string;
  readonly ours: number;
  /** Of the bare thing, measured in the same run; absent for a figure that stands alone. */
  readonly bare?: number;
  /** Ours through bare; the median over pairs of slices where they were measured in turns. */
  readonly ratio?: number;
  /** The least that `ratio`, or else `ours`, is meant to be. */
  readonly aim?: number;
  /** The most that `ours` is meant to be, where less is better. */
  readonly atMost?: number;
  /** What of an answer's work is on disk by then: "NATS syncs every 2 min". Ours, and the bare one's where it is another. */
  readonly durability?: string;
}

/** What a NATS server does that says nothing of it. */
export const NATS_DURABILITY = "NATS syncs every 2 min";

export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
};

/** @param share of the numbers that are at most the answer: 0.99 @returns 0 for none */
export const quantile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * share) - 1)] ?? 0;

/** Undefined for a figure without an aim. */
export const reached = ({ ours, ratio, aim, atMost }: Figure): boolean | undefined => {
  if (atMost !== undefined) return ours <= atMost;
  return aim === undefined ? undefined : (ratio ?? ours) >= aim;
};
