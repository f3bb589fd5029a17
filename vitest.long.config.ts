/** The tests that take minutes: whole clusters under fire, long histories. `npm run test:long` runs them. */
import { defineConfig } from "vitest/config";
import { closingLine } from "./test/setup/closing-line.ts";

export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts"],
    passWithNoTests: true,
    reporters: ["default", closingLine()],
    // One at a time: each is under load by itself.
    maxWorkers: 1,
    // They hold times, and a machine that somebody else uses may be too slow once; a second time is no accident.
    retry: 1,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
