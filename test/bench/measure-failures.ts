/** Instances of a service are killed, slow, or fail half of their answers: how many of a read route's clients notice, by policy. */
import { failingService, REACHES, setPolicy, TROUBLES, WHOLE_POLICY } from "../control/failing-service.ts";
import { startManyIsolates } from "../control/many-isolates.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";

const NOTHING = { retry: false, breaker: false, outliers: false, balance: "weight" };

/** Each beside nothing at all; the defaults are what a gateway without configuration does. */
const POLICIES: Readonly<Record<string, object>> = {
  "retry alone": { ...NOTHING, retry: {} },
  "breaker alone": { ...NOTHING, breaker: {} },
  "balance and outliers alone": { ...NOTHING, outliers: {}, balance: "power_of_two" },
  "hedging alone": { ...NOTHING, hedge: {} },
  "cache and fallback alone": {
    ...NOTHING,
    deadlineMs: WHOLE_POLICY.deadlineMs,
    cache: WHOLE_POLICY.cache,
    fallback: WHOLE_POLICY.fallback,
  },
  "the defaults": {},
  "the defaults and hedging": { hedge: {} },
  "the whole policy": WHOLE_POLICY,
};

const CASES = REACHES.flatMap((reach) => TROUBLES.map((trouble) => ({ reach, trouble })));

export const measureFailures = async (_ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const ground = await startManyIsolates({ probes: 0, gateways: 1, lagMs: 0 });
  const service = failingService(ground);
  const loadMs = quick ? 800 : 4_000;
  try {
    const perThousand = async (policy: object) => {
      await setPolicy(ground, policy);
      const shares: number[] = [];
      for (const { reach, trouble } of CASES) {
        const { requests, noticed } = await service.measure(trouble, loadMs, reach);
        shares.push((noticed / requests) * 1_000);
      }
      return shares;
    };
    const bare = await perThousand(NOTHING);
    const figures: Figure[] = [];
    for (const [name, policy] of Object.entries(POLICIES)) {
      const ours = await perThousand(policy);
      CASES.forEach(({ reach, trouble }, index) => {
        figures.push({
          name: `${reach} ${trouble}, by ${name}`,
          unit: "noticed of 1,000",
          ours: ours[index] ?? Number.NaN,
          bare: bare[index] ?? Number.NaN,
          ...(name === "the whole policy" && { atMost: 0 }),
        });
      });
    }
    return figures;
  } finally {
    await service.stop();
    await ground.close();
  }
};
