/** Instances are killed, slow, or fail half of their answers: with a policy clients of a read route do not notice. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type FailingService,
  failingService,
  setPolicy,
  TROUBLES,
  WHOLE_POLICY,
} from "../control/failing-service.ts";
import { type ManyIsolates, startManyIsolates } from "../control/many-isolates.ts";

const LOAD_MS = 2_500;

let ground: ManyIsolates;
let service: FailingService;

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 0, gateways: 1, lagMs: 0 });
  service = failingService(ground);
});
afterAll(async () => {
  await service?.stop();
  await ground?.close();
});

describe("an instance in trouble", () => {
  test.each(TROUBLES)("that is %s is noticed by clients without any policy", async (trouble) => {
    await setPolicy(ground, { retry: false, breaker: false, outliers: false, balance: "weight" });
    expect((await service.measure(trouble, LOAD_MS)).noticed).toBeGreaterThan(10);
  });

  test.each(TROUBLES)(
    "that is %s is noticed by next to nobody with the defaults and hedging",
    async (trouble) => {
      await setPolicy(ground, { hedge: {} });
      const { requests, noticed } = await service.measure(trouble, LOAD_MS);
      expect(requests).toBeGreaterThan(200);
      // None on a machine of its own; others on it may hold up an answer of a healthy instance for as long.
      expect(noticed).toBeLessThanOrEqual(requests / 200);
    },
  );

  test.each(TROUBLES)(
    "all of whose instances are %s is noticed by nobody with the whole policy",
    async (trouble) => {
      await setPolicy(ground, WHOLE_POLICY);
      const { requests, noticed } = await service.measure(trouble, LOAD_MS, "all four");
      expect(requests).toBeGreaterThan(200);
      expect(noticed).toBe(0);
    },
  );
});
