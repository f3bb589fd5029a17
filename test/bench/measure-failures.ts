/** One of four instances is killed, slow, or fails half of its answers: how many of a read route's clients notice, by policy. */
import { failingService, setPolicy, TROUBLES } from "../control/failing-service.ts";
import { startManyIsolates } from "../control/many-isolates.ts";
import type { BenchGround } from "./bench-system.ts";
import type { Figure } from "./figure.ts";

const NOTHING = { retry: false, breaker: false, outliers: false, balance: "weight" };

/** Each beside nothing at all; the defaults are what a gateway without configuration does. */
const POLICIES: Readonly<Record<string, object>> = {
  "retry alone": { ...NOTHING, retry: {} },
  "balance and outliers alone": { ...NOTHING, outliers: {}, balance: "power_of_two" },
  "the defaults": {},
  "the defaults and hedging": { hedge: {} },
};

export const measureFailures = async (_ground: BenchGround, quick: boolean): Promise<Figure[]> => {
  const ground = await startManyIsolates({ probes: 0, gateways: 1, lagMs: 0 });
  const service = failingService(ground);
  const loadMs = quick ? 2_000 : 8_000;
  try {
    const perThousand = async (policy: object) => {
      await setPolicy(ground, policy);
      const shares: number[] = [];
      for (const trouble of TROUBLES) {
        const { requests, noticed } = await service.measure(trouble, loadMs);
        shares.push((noticed / requests) * 1_000);
      }
      return shares;
    };
    const bare = await perThousand(NOTHING);
    const figures: Figure[] = [];
    for (const [name, policy] of Object.entries(POLICIES)) {
      const ours = await perThousand(policy);
      TROUBLES.forEach((trouble, index) => {
        figures.push({
          name: `one of four ${trouble}, by ${name}`,
          unit: "noticed of 1,000",
          ours: ours[index] ?? Number.NaN,
          bare: bare[index] ?? Number.NaN,
          ...(name === "the defaults and hedging" && { atMost: 0 }),
        });
      });
    }
    return figures;
  } finally {
    await service.stop();
    await ground.close();
  }
};
