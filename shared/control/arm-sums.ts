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

/** As long as the control plane takes them: a look that it refuses would be refused for ever. */
const SERVICE_LENGTH_MAX = 64;
const ROLLOUT_LENGTH_MAX = 256;

/**
 * Keeps `LIMITS.armSums` sums of at most `LIMITS.armAnswers` answers; what is beyond is not counted, and neither are names
 * that are too long: they come from answers of services.
 */
export const armSums = (): ArmSums => {
  const sums = new Map<string, ArmCount>();

  const add = ({ service, rollout, arm, answers, failures }: ArmCount): void => {
    if (service.length > SERVICE_LENGTH_MAX || rollout.length > ROLLOUT_LENGTH_MAX) return;
    const key = `${service} ${rollout} ${arm}`;
    const sum = sums.get(key);
    if (sum ? sum.answers + answers > LIMITS.armAnswers : sums.size >= LIMITS.armSums) return;
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
