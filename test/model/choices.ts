/** Makes the choices of a simulated run: all of them in turn, or as a seed has it. */
import { seededRandom } from "#shared/runtime/seeded-random.ts";

/** One of `of` possibilities, from 0. */
export type Choose = (of: number) => number;

/**
 * Runs once for each way that the choices can go, depth first. What a run throws ends it, with the choices that led there.
 * @returns the number of runs
 */
export const exploreAll = async (run: (choose: Choose) => Promise<void>): Promise<number> => {
  let ahead: number[] = [];
  for (let runs = 1; ; runs++) {
    const trail: { taken: number; of: number }[] = [];
    const choose: Choose = (of) => {
      if (of === 1) return 0;
      const taken = ahead[trail.length] ?? 0;
      trail.push({ taken, of });
      return taken;
    };
    try {
      await run(choose);
    } catch (cause) {
      const taken = trail.map((choice) => choice.taken).join(",");
      throw new Error(`Run ${runs} failed, by the choices "${taken}"`, { cause });
    }
    while (trail.length > 0 && isLast(trail)) trail.pop();
    if (trail.length === 0) return runs;
    ahead = trail.map((choice) => choice.taken);
    ahead.push((ahead.pop() ?? 0) + 1);
  }
};

const isLast = (trail: readonly { taken: number; of: number }[]): boolean => {
  const last = trail.at(-1);
  return last !== undefined && last.taken === last.of - 1;
};

/** Runs once for each seed; `SEED=n` runs that one alone. What a run throws ends it, with its seed. */
export const exploreSeeds = async (
  count: number,
  run: (choose: Choose, seed: number) => Promise<void>,
): Promise<void> => {
  const only = process.env.SEED;
  const seeds = only === undefined ? Array.from({ length: count }, (_, n) => n + 1) : [Number(only)];
  for (const seed of seeds) {
    const random = seededRandom(seed);
    try {
      await run((of) => Math.floor(random() * of), seed);
    } catch (cause) {
      throw new Error(`Seed ${seed} failed; again by SEED=${seed} npx vitest run test/model`, { cause });
    }
  }
};
