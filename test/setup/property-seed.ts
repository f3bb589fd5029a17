/**
 * Gives every property test the seed in `PROPERTY_SEED`, so that a run of CI says the same of the same commit twice; without it each
 * run tries other values. A failing property prints its seed either way.
 */
const seed = process.env.PROPERTY_SEED;
if (seed) {
  const { configureGlobal } = await import("fast-check");
  configureGlobal({ seed: Number(seed) });
}

export {};
