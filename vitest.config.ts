/** Every test but the long ones; `npm test` runs them with the NATS servers that they need. */
import { defineConfig } from "vitest/config";
import { closingLine } from "./test/setup/closing-line.ts";

export default defineConfig({
  test: {
    include: ["{cli,nats,otel,shared,test,workers}/**/*.test.ts"],
    exclude: ["test/long/**"],
    reporters: ["default", closingLine()],
    setupFiles: ["test/setup/property-seed.ts"],
    // Most of their time files wait for servers, so that two at a time are no burden even for two cores.
    maxWorkers: 2,
    // Tests that start servers take seconds on a small machine; a test that hangs is still told apart.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
