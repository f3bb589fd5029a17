/** Holds that processes end and their commands take effect once, over far more seeds than the plain tests have time for. */
import { test } from "vitest";
import { exploreSeeds } from "../model/choices.ts";
import { simulate } from "../model/trip-run.ts";

test(
  "whatever dies, is lost or comes twice, each command takes effect once and each instance ends",
  {
    timeout: 300_000,
  },
  () => exploreSeeds(1_500, (choose) => simulate(choose, 20)),
);
