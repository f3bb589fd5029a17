/** Sums of answers made under roll-outs, kept until a look has taken them to the control plane. */
import { LIMITS } from "../limits.ts";
import type { ArmCount } from "./changes.ts";

/** One answer that was made under a roll-out. */
export interface CountedAnswer {
  readonly service: string;
  /** {@link ArmCount.rollout} */
  readonly rollout: string;
  readonly arm: ArmCount["arm"];
  /** Its status was 5xx. */
  readonly failed: boolean;
}

export interface ArmSums {
  count(answer: CountedAnswer): void;
  /** Everything so far, which is then no longer here. */
  take(): readonly ArmCount[];
  /** What was taken did not arrive. */
  giveBack(taken: readonly ArmCount[]): void;
}

/** Keeps `LIMITS.armSums` sums; answers that would need another are not counted. */
export const armSums = (): ArmSums => {
  const sums = new Map<string, ArmCount>();

  const add = ({ service, rollout, arm, answers, failures }: ArmCount): void => {
    const key = `${service} ${rollout} ${arm}`;
    const sum = sums.get(key);
    if (!sum && sums.size >= LIMITS.armSums) return;
    sums.set(key, {
      service,
      rollout,
      arm,
      answers: (sum?.answers ?? 0) + answers,
      failures: (sum?.failures ?? 0) + failures,
    });
  };

  return {
    count: ({ failed, ...answer }) => add({ ...answer, answers: 1, failures: failed ? 1 : 0 }),
    take() {
      const taken = [...sums.values()];
      sums.clear();
      return taken;
    },
    giveBack(taken) {
      for (const sum of taken) add(sum);
    },
  };
};
