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
/** What everybody notices is seen at once. */
const NOTICED_MS = 1_000;
/** Fewer are made where others use the machine, too. */
const REQUESTS_LEAST = 80;

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
  describe("without any policy", () => {
    beforeAll(() => setPolicy(ground, { retry: false, breaker: false, outliers: false, balance: "weight" }));

    test.each(TROUBLES)("that is %s is noticed by clients", async (trouble) => {
      expect((await service.measure(trouble, NOTICED_MS)).noticed).toBeGreaterThan(2);
    });
  });

  describe("with the defaults and hedging", () => {
    beforeAll(() => setPolicy(ground, { hedge: {} }));

    test.each(TROUBLES)("that is %s is noticed by next to nobody", async (trouble) => {
      const { requests, noticed } = await service.measure(trouble, LOAD_MS);
      expect(requests).toBeGreaterThan(REQUESTS_LEAST);
      // None on a machine of its own; others on it may hold up an answer of a healthy instance for as long.
      expect(noticed).toBeLessThanOrEqual(Math.max(1, requests / 200));
    });
  });

  describe("with the whole policy", () => {
    beforeAll(() => setPolicy(ground, WHOLE_POLICY));

    test.each(TROUBLES)("all of whose instances are %s is noticed by nobody", async (trouble) => {
      const { requests, noticed } = await service.measure(trouble, LOAD_MS, "all four");
      expect(requests).toBeGreaterThan(REQUESTS_LEAST);
      expect(noticed).toBe(0);
    });
  });
});
