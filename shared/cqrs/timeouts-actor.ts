/** The Actor in which the timeouts of one process stand: a subscription to what becomes due, told of by the process itself. */

import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import type { Process } from "./process.ts";
import { type ProcessMethods, processActor } from "./process-actor.ts";
import { type Timeout, type TimeoutOrigin, timeouts } from "./timeouts.ts";
import { timeoutsLog } from "./timeouts-log.ts";

/** A process whose events are timeouts, and not those of a service's log. */
export interface TimeoutsProcess extends Process {
  /** Type of the aggregates in whose name they fire. */
  readonly timeoutsOf: string;
}

export const isTimeoutsProcess = (process: Process): process is TimeoutsProcess => "timeoutsOf" in process;

export interface TimeoutPlan extends TimeoutOrigin {
  readonly start: readonly Timeout[];
  /** Ids. */
  readonly cancel: readonly string[];
}

export type TimeoutsMethods = ProcessMethods & {
  /** Stands when it answers; the same again changes nothing. Refuses with `unavailable` when too many run. */
  plan(plan: TimeoutPlan): Promise<Result<{ running: number }, Failure>>;
};

export const timeoutsActor = ({
  context,
  process,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  process: TimeoutsProcess;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<TimeoutsMethods> => {
  const store = timeouts(context.sql, process.timeoutsOf);
  const log = timeoutsLog({ timeouts: store, clock, sleep });
  const actor = processActor({ context, process, log, clock, random, sleep });

  return {
    ...actor,
    methods: {
      ...actor.methods,
      async plan({ start, cancel, ...origin }) {
        const stand = store.together(() => {
          for (const id of cancel) store.cancel(id);
          return start.every((timeout) => store.start(timeout, origin));
        });
        log.changed();
        // Nobody may have called this Actor before.
        await actor.methods.wake({});
        return stand ? ok({ running: store.running() }) : err(full(process.name));
      },
    },
  };
};

const full = (name: string): Failure => ({
  code: "unavailable",
  detail: `Starting a timeout of "${name}": ${LIMITS.timeoutsRunning} run already, expected fewer`,
});
