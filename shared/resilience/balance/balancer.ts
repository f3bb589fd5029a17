/** One way of choosing among the instances that may get work. */
import type { Instance } from "../../registry/instance.ts";

/** What a balancer looks at; the targets of a gateway carry more. */
export type Balanced = Pick<Instance, "id" | "weight" | "zone">;

export interface PickOptions<Target> {
  /** What belongs together goes to one instance, where the balancer cares. */
  readonly key?: string | undefined;
  /** The caller's zone. */
  readonly zone?: string | undefined;
  /** Whoever is not to be chosen: ejected, or already tried. */
  readonly except?: ((target: Target) => boolean) | undefined;
}

export interface AttemptOutcome {
  readonly tookMs: number;
  readonly failed: boolean;
}

/** Each attempt is told twice: when it starts, and when it is finished, however it ended. */
export interface Balancer<Target extends Balanced = Instance> {
  /**
   * Undefined when all are excepted or there is none.
   * @param eligible those of one service and major, the same array until they change (registry/lookup.ts)
   */
  pick(eligible: readonly Target[], options?: PickOptions<Target>): Target | undefined;
  started(target: Balanced): void;
  finished(target: Balanced, outcome: AttemptOutcome): void;
}

/** For a choice without wishes. */
export const NO_WISHES: PickOptions<unknown> = {};
