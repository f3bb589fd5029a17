/** Whether an event-sourced service can work; asking also wakes its projections and processes. */
import type { ReadinessCheck } from "../http/readiness.ts";
import { err, ok } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { Commands } from "./commands.ts";
import type { ProcessMethods } from "./process-actor.ts";
import type { ProjectionMethods } from "./projection-shards.ts";

export interface ServiceActors {
  readonly commands: Commands;
  readonly projectors: Actors<ProjectionMethods>;
  readonly projections: readonly string[];
  readonly processors: Actors<ProcessMethods>;
  readonly processes: readonly string[];
}

export const serviceHealth = (service: ServiceActors): ReadinessCheck[] => [
  { name: "log", check: () => service.commands.ready() },
  ...service.projections.map((name) => ({
    name: `projection ${name}`,
    async check() {
      const { position, failure, stoppedAt, outdated } = await service.projectors.named(name).wake({});
      // Why a commit cannot be applied may quote what is in it, and everybody may ask this: operators see it in the list.
      if (stoppedAt)
        return err({ detail: `stopped at position ${stoppedAt.position}, event "${stoppedAt.eventId}"` });
      if (failure !== undefined) return err({ detail: failure });
      if (outdated?.stands) {
        const { version, declared } = outdated;
        return err({
          detail: `holds version ${version} as it was, until ${declared} has been built beside it`,
        });
      }
      return position === undefined ? err({ detail: "not started yet" }) : ok(position);
    },
  })),
  ...service.processes.map((name) => ({
    name: `process ${name}`,
    async check() {
      const { following, failure, paused } = await service.processors.named(name).wake({});
      if (paused !== undefined) return ok({ detail: `paused since ${paused}` });
      if (failure !== undefined) return err({ detail: failure });
      return following ? ok(following) : err({ detail: "not started yet" });
    },
  })),
];

/** Wakes everything, for a cron trigger: on a platform that may have ended any Actor, this is what starts it again. */
export const wakeService = async (service: ServiceActors): Promise<void> => {
  await Promise.allSettled(serviceHealth(service).map(({ check }) => check()));
};
