/** Measures two things in turns, in short slices: what drifts (heat, neighbours, caches) then meets both alike. */
import { performance } from "node:perf_hooks";
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

/** Does the same again and again, so often side by side. */
export const repeated =
  (inFlight: number, work: () => Promise<void>): Slice =>
  async (ms) => {
    const start = performance.now();
    let done = 0;
    const lane = async () => {
      while (performance.now() - start < ms) {
        await work();
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return (done * 1000) / (performance.now() - start);
  };
