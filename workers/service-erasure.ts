/** What a service needs to forget data subjects, where its events have personal fields; nothing changes where they have none. */
import { sealer } from "#shared/config/sealing.ts";
import type { Aggregates } from "#shared/cqrs/command-actor.ts";
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { actorSubjectKeys } from "#shared/erasure/actor-subject-keys.ts";
import { erasableLog, withoutPersonal } from "#shared/erasure/erasable-log.ts";
import { addForgottenRoute } from "#shared/erasure/forgotten-route.ts";
import { personalFieldsOf } from "#shared/erasure/personal.ts";
import { SUBJECT_EVENTS, subjectAggregate } from "#shared/erasure/subject.ts";
import { type CachedSubjectKeys, cachedSubjectKeys } from "#shared/erasure/subject-keys.ts";
import { type SubjectKeysMethods, subjectKeysActor } from "#shared/erasure/subject-keys-actor.ts";
import type { Commit } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import type { EventTypes } from "#shared/events/event-types.ts";
import { typedEventLog } from "#shared/events/typed-event-log.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import type { ActorContext, ActorLogic } from "#shared/runtime/actor.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { durableActors } from "#shared/runtime/durable-actor.ts";

/** Bound in the `wrangler.toml` of each service with personal fields. */
export interface ErasureEnv {
  readonly SUBJECT_KEYS?: DurableObjectNamespace;
  /** Seals the keys where they stand. */
  readonly CONFIG_KEYS?: string;
}

/** The service's own log for one Actor, as its parts may read it. */
export interface OwnLogs {
  /** Personal values are null: for whatever keeps what it reads, as states, snapshots and parked events. */
  readonly log: EventLog;
  /** Personal values are there until their subject is forgotten: for read models and histories. */
  readonly shown: EventLog;
  /** A commit that was just appended, as `log` reads it. */
  readonly kept: (commit: Commit) => Commit;
}

export interface ServiceErasure {
  /** With that of the data subject. */
  readonly aggregates: Aggregates;
  /** Checked when written, in the newest version when read. */
  ownLogs(raw: EventLog, env: ErasureEnv): OwnLogs;
  /** Another service's: what is personal in it is that service's alone, and null. */
  othersLog(raw: EventLog, types: EventTypes, only: readonly string[]): EventLog;
  /** Bindings that it cannot do without and does not have. */
  missing(env: ErasureEnv): readonly string[];
  addRoutes(app: ServiceApp, env: ErasureEnv, commands: Commands): void;
  keeper(context: ActorContext, env: ErasureEnv): ActorLogic<SubjectKeysMethods>;
}

/** @throws Error when what is declared would keep personal values of somebody who was forgotten */
export const serviceErasure = (service: {
  readonly name: string;
  readonly events: EventTypes;
  readonly aggregates: Aggregates;
  readonly projections: readonly Projection[];
  readonly tenants?: "required";
}): ServiceErasure => {
  const { name, events } = service;
  const isNeeded = personalFieldsOf(events).size > 0;
  if (isNeeded) assertForgets(service);

  const keysOf = ({ SUBJECT_KEYS }: ErasureEnv): CachedSubjectKeys | undefined =>
    isNeeded && SUBJECT_KEYS
      ? cachedSubjectKeys({
          keys: actorSubjectKeys(durableActors<SubjectKeysMethods>(SUBJECT_KEYS)),
          clock: systemClock,
        })
      : undefined;

  return {
    aggregates: isNeeded
      ? { ...service.aggregates, [subjectAggregate.type]: subjectAggregate as Aggregates[string] }
      : service.aggregates,
    ownLogs(raw, env) {
      const keys = keysOf(env);
      const log = (opens: boolean) => typedEventLog(erasableLog(raw, { types: events, keys, opens }), events);
      return { log: log(false), shown: log(true), kept: withoutPersonal(events) };
    },
    othersLog: (raw, types, only) =>
      typedEventLog(erasableLog(raw, { types, opens: false }), types, { only }),
    missing: ({ SUBJECT_KEYS }) => (isNeeded && !SUBJECT_KEYS ? ["SUBJECT_KEYS"] : []),
    addRoutes(app, env, commands) {
      if (!isNeeded) return;
      addForgottenRoute(app, {
        service: name,
        ofTenants: service.tenants === "required",
        forgetting() {
          const keys = keysOf(env);
          if (!keys) throw new Error(`Cannot forget in "${name}": SUBJECT_KEYS is not bound`);
          return { keys, commands };
        },
      });
    },
    keeper: (context, { CONFIG_KEYS }) =>
      subjectKeysActor({
        context,
        sealer: CONFIG_KEYS ? sealer({ keys: CONFIG_KEYS }) : undefined,
        clock: systemClock,
      }),
  };
};

const assertForgets = ({
  name,
  events,
  projections,
}: Pick<Parameters<typeof serviceErasure>[0], "name" | "events" | "projections">): void => {
  const [type] = Object.keys(SUBJECT_EVENTS);
  if (type === undefined || !events[type])
    throw new Error(`Cannot start "${name}": it has personal fields, expected "${type}" among its events`);
  const parking = projections.find(({ onFailure }) => onFailure === "park");
  if (parking) {
    throw new Error(
      `Cannot start "${name}": its projection "${parking.name}" would keep personal fields of what it parks, expected \`onFailure: "stop"\``,
    );
  }
};
