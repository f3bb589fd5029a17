/** Measures two things in turns, in short slices: what drifts (heat, neighbours, caches) then meets both alike. */
import { median } from "./figure.ts";

/** Works for about `ms` and tells how often a second. */
export type Slice = (ms: number) => Promise<number>;

export interface Turns {
  readonly ours: Slice;
  readonly bare: Slice;
  /** Pairs of slices that count. */
  readonly pairs: number;
  readonly sliceMs: number;
  /** Before the first slice that counts, each side runs this long: until compilers and caches are warm. */
  readonly warmUpMs: number;
}

/** Each pair is run in the other order than the pair before, so that being first favours nobody. */
export const inTurns = async ({ ours, bare, pairs, sliceMs, warmUpMs }: Turns) => {
  await bare(warmUpMs);
  await ours(warmUpMs);
  const measured: { ours: number; bare: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? ours : bare;
    const second = pair % 2 === 0 ? bare : ours;
    const rates = [await first(sliceMs), await second(sliceMs)] as const;
    measured.push(pair % 2 === 0 ? { ours: rates[0], bare: rates[1] } : { ours: rates[1], bare: rates[0] });
  }
  return {
    ours: median(measured.map((pair) => pair.ours)),
    bare: median(measured.map((pair) => pair.bare)),
    ratio: median(measured.map((pair) => pair.ours / pair.bare)),
  };
};
