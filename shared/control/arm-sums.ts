/** Sums of answers made under roll-outs, kept until a look takes them to the control plane. */
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
  /**
   * Everything so far, which is then no longer here, even if it does not arrive: a look that failed may have been counted.
   * Answers that are lost make a judgement later, answers that are counted twice make it on less than it asks for.
   */
  take(): readonly ArmCount[];
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

  return {
    count({ service, rollout, arm, failed }) {
      if (service.length > SERVICE_LENGTH_MAX || rollout.length > ROLLOUT_LENGTH_MAX) return;
      const key = `${service} ${rollout} ${arm}`;
      const sum = sums.get(key);
      if (sum ? sum.answers >= LIMITS.armAnswers : sums.size >= LIMITS.armSums) return;
      const failures = (sum?.failures ?? 0) + (failed ? 1 : 0);
      sums.set(key, { service, rollout, arm, answers: (sum?.answers ?? 0) + 1, failures });
    },
    take() {
      const taken = [...sums.values()];
      sums.clear();
      return taken;
    },
  };
};
