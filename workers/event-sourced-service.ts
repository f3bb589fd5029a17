/** Wires an event-sourced service to the platform: the one composition root that all of them share. */
import { DurableObject } from "cloudflare:workers";
import type { Client } from "@openfeature/server-sdk";
import type { z } from "zod";
import { type NatsConnector, natsConnector } from "#nats/connection.ts";
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import { natsSnapshotLog } from "#nats/snapshot-log.ts";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry, type WorkerTelemetry } from "#otel/worker-telemetry.ts";
import type { Config } from "#shared/config/config.ts";
import type { ControlLink, WaitUntil } from "#shared/control/link.ts";
import { readyFor } from "#shared/control/ready-for.ts";
import { type Aggregates, type CommandMethods, commandActor } from "#shared/cqrs/command-actor.ts";
import { type Commands, commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { type ProcessMethods, processActor } from "#shared/cqrs/process-actor.ts";
import { addProcessRoutes, type ParkingMethods } from "#shared/cqrs/process-routes.ts";
import type { Projection } from "#shared/cqrs/projection.ts";
import { addProjectionRoutes } from "#shared/cqrs/projection-routes.ts";
import { type ProjectionMethods, projectionActors, shardNames } from "#shared/cqrs/projection-shards.ts";
import { type ProjectorMethods, projectorActor } from "#shared/cqrs/projector-actor.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import { type ServiceActors, serviceHealth, wakeService } from "#shared/cqrs/service-health.ts";
import { operatorsOnly } from "#shared/cqrs/subscription-access.ts";
import { addSubscriptionRoutes } from "#shared/cqrs/subscription-routes.ts";
import { isTimeoutsProcess, type TimeoutsMethods, timeoutsActor } from "#shared/cqrs/timeouts-actor.ts";
import { upcastProcess } from "#shared/cqrs/upcast-process.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { addEventSchemasRoute } from "#shared/events/event-schemas-route.ts";
import type { EventTypes } from "#shared/events/event-types.ts";
import type { ProblemTable } from "#shared/http/errors.ts";
import type { ReadinessCheck } from "#shared/http/readiness.ts";
import { createServiceApp, type ServiceApp } from "#shared/http/service-app.ts";
import type { MessageHandler } from "#shared/messaging/message-handlers.ts";
import type { Messaging } from "#shared/messaging/messaging.ts";
import { err, ok } from "#shared/result.ts";
import type { ActorCall, ActorContext, ActorLogic, ActorMethods, Actors } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { tracedD1 } from "#shared/storage/traced-d1.ts";
import { requireTenant } from "#shared/tenants/require-tenant.ts";
import { tenantCommands } from "#shared/tenants/tenant-commands.ts";
import { tenantProjection } from "#shared/tenants/tenant-projection.ts";
import { type ControlEnv, type ServiceControl, serviceControl } from "./service-control.ts";
import { type ErasureEnv, type OwnLogs, serviceErasure } from "./service-erasure.ts";
import { type ServiceIdentityEnv, serviceIdentity } from "./service-identity.ts";
import type { MessagesEnv, MessagesOverNats, ServiceMessages } from "./service-messages.ts";

/** The bindings that every event-sourced service has in its `wrangler.toml`. */
export interface EventSourcedEnv extends ControlEnv, ErasureEnv, ServiceIdentityEnv, MessagesEnv {
  DB: D1Database;
  MONITOR: Fetcher;
  COMMANDS: DurableObjectNamespace;
  PROJECTORS: DurableObjectNamespace;
  PROCESSORS: DurableObjectNamespace;
  /** The address of the NATS server. */
  NATS_URL?: string;
  /** An nkey seed or the content of a `.creds` file, where the address holds no password. */
  NATS_CREDS?: string;
  /** Certificates in PEM of the authority of a `tls://` server. */
  NATS_CA?: string;
  /** "anybody" lets everybody look into the service and change it while it runs, as on a development machine. */
  OPERATORS?: string;
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  OTEL_EXPORTER_OTLP_HEADERS?: string;
}

export interface ServiceParts<Env, Schema extends z.ZodType> {
  readonly env: Env;
  readonly config: Config<z.infer<Schema>>;
  readonly flags: Client;
  /** What the registry knows of a service now. */
  readonly entry: ControlLink["entry"];
  readonly commands: Commands;
  /** Rejects where the service declares no `messages`. */
  readonly messaging: Messaging;
  /** By the projection's name. */
  readonly projectors: Actors<ProjectionMethods>;
}

export interface EventSourcedService<Env extends EventSourcedEnv, Schema extends z.ZodType> {
  /** Names the log, the first segment of its paths, and the service in traces. */
  readonly name: string;
  readonly major: number;
  /** `service.version` of its traces. */
  readonly version: string;
  readonly description: string;
  /** Its configuration; takes `{}`. */
  readonly config: Schema;
  readonly problems: ProblemTable;
  /** By their `type`. */
  readonly aggregates: Aggregates;
  /** All that its log may hold. */
  readonly events: EventTypes;
  /** The events of the services that its processes follow, by the service. */
  readonly sources: Readonly<Record<string, EventTypes>>;
  /** Command Actors among which the aggregates are spread. Fixed for the service's lifetime: one writer per aggregate. */
  readonly shards: number;
  readonly projections: readonly Projection[];
  /** Where its read models are; in D1 as `DB` when absent. */
  readStore?(env: Env): ReadStore;
  processes(
    parts: Omit<ServiceParts<Env, Schema>, "projectors"> & {
      /** Where the timeouts of its process managers stand. */
      readonly timeouts: Actors<TimeoutsMethods>;
    },
  ): readonly Process[];
  /** The variables, NATS_URL aside, that it cannot do without and does not have. */
  missing?(env: Env): readonly string[];
  addRoutes(app: ServiceApp, parts: ServiceParts<Env, Schema>): void;
  /**
   * `required`: every aggregate, row, key and data subject is a tenant's, and every caller of its routes is of one; its routes
   * are added after those of the operators. Absent: it keeps no tenants apart.
   */
  readonly tenants?: "required";
  /** Absent: it neither sends nor hears messages, and none of what they need is in its worker. */
  readonly messages?: {
    readonly over: MessagesOverNats;
    /** Actors that send and listen, each with a connection of its own. */
    readonly messengers: number;
    /** What it hears and answers. */
    handlers(parts: Omit<ServiceParts<Env, Schema>, "projectors">): readonly MessageHandler[];
  };
}

/** Returns the worker's handlers and the classes that its `wrangler.toml` names; export each as a class of its own. */
export const eventSourcedService = <Env extends EventSourcedEnv, Schema extends z.ZodType>(
  declared: EventSourcedService<Env, Schema>,
) => {
  const ofTenants = declared.tenants === "required";
  const service = ofTenants
    ? { ...declared, projections: declared.projections.map(tenantProjection) }
    : declared;
  const runtime = { clock: systemClock, random: Math.random, sleep };
  const erasure = serviceErasure(service);

  let control: ServiceControl<z.infer<Schema>> | undefined;
  const controlOf = (env: Env): ServiceControl<z.infer<Schema>> => {
    control ??= serviceControl(service.name, service.config, env);
    return control;
  };

  const telemetryOf = (env: Env): WorkerTelemetry => {
    const { link } = controlOf(env);
    return startWorkerTelemetry({
      service: service.name,
      version: service.version,
      epochs: { current: link.epoch, saw: link.saw },
      send: sendSpansTo({
        monitor: env.MONITOR,
        endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: env.OTEL_EXPORTER_OTLP_HEADERS,
      }),
    });
  };

  const commandsOf = (env: Env): Commands => {
    const all = commands({ actors: durableActors<CommandMethods>(env.COMMANDS), shards: service.shards });
    return ofTenants ? tenantCommands(all) : all;
  };

  const messagesOf = (env: Env): ServiceMessages =>
    service.messages?.over.messagesOf(service.name, env, service.messages.messengers) ??
    noMessages(service.name);

  const partsOf = (env: Env): Omit<ServiceParts<Env, Schema>, "projectors"> => {
    const { link, config, flags } = controlOf(env);
    const { messaging } = messagesOf(env);
    return { env, commands: commandsOf(env), messaging, config, flags, entry: link.entry };
  };

  const processesOf = (env: Env) =>
    service.processes({ ...partsOf(env), timeouts: durableActors<TimeoutsMethods>(env.PROCESSORS) });

  const configurationCheck = (env: Env): ReadinessCheck => ({
    name: "configuration",
    async check() {
      const missing = [
        ...(env.NATS_URL ? [] : ["NATS_URL"]),
        ...erasure.missing(env),
        ...(service.missing?.(env) ?? []),
      ];
      return missing.length === 0
        ? ok(undefined)
        : err({ detail: `${missing.join(" and ")} not set: expected as secrets of the worker` });
    },
  });

  const projectorsOf = (env: Env) => durableActors<ProjectorMethods>(env.PROJECTORS);

  const actorsOf = (env: Env): ServiceActors => ({
    commands: commandsOf(env),
    projectors: projectionActors(projectorsOf(env), service.projections),
    projections: service.projections.map(({ name }) => name),
    processors: durableActors<ProcessMethods>(env.PROCESSORS),
    processes: processesOf(env).map(({ name }) => name),
  });

  const accessOf = (env: Env) => ({
    url: env.NATS_URL ?? "",
    user: service.name,
    creds: env.NATS_CREDS,
    ca: env.NATS_CA,
    // The client library would take a missing address for one on this machine.
    ...(env.NATS_URL ? {} : { open: () => Promise.reject(new Error("NATS_URL is not set")) }),
  });

  const connectorFor = (env: Env, { name }: ActorContext): NatsConnector =>
    natsConnector({ ...accessOf(env), name: `${service.name} ${name}`, clock: systemClock });

  const logOver = (connector: NatsConnector, source: string): EventLog =>
    jetStreamEventLog({ service: source, connector, clock: systemClock });

  const ownLogs = (env: Env, connector: NatsConnector): OwnLogs =>
    erasure.ownLogs(logOver(connector, service.name), env);

  const eventsOf = ({ name, source }: Process): EventTypes => {
    const events = source === service.name ? service.events : service.sources[source];
    if (events) return events;
    throw new Error(`Cannot start the process "${name}": its source "${source}" is not among the sources`);
  };

  const host = <Methods extends ActorMethods>(
    state: DurableObjectState,
    env: Env,
    kind: string,
    create: (context: ActorContext) => ActorLogic<Methods>,
  ) => {
    const { flushSoon } = telemetryOf(env);
    const { lookSoon } = controlOf(env).link;
    const afterWork = (waitUntil: WaitUntil) => {
      flushSoon(waitUntil);
      lookSoon(waitUntil);
    };
    return hostDurableActor(state, create, { kind: `${service.name} ${kind}`, afterWork });
  };

  class Commander extends DurableObject<Env> {
    actor = host(this.ctx, this.env, "commands", (context) => {
      const connector = connectorFor(this.env, context);
      return commandActor({
        context,
        ...ownLogs(this.env, connector),
        snapshotLog: natsSnapshotLog({ service: service.name, connector }),
        aggregates: erasure.aggregates,
        ...runtime,
      });
    });
    call(call: ActorCall) {
      return this.actor.call(call);
    }
  }

  class Projector extends DurableObject<Env> {
    actor = host(this.ctx, this.env, "projector", (context) =>
      projectorActor({
        context,
        projection: ofShard(service.projections, context.name),
        peers: projectorsOf(this.env),
        source: service.name,
        log: ownLogs(this.env, connectorFor(this.env, context)).shown,
        store: service.readStore?.(this.env) ?? d1ReadStore(tracedD1(this.env.DB, service.name)),
        ...runtime,
      }),
    );
    call(call: ActorCall) {
      return this.actor.call(call);
    }
    override alarm() {
      return this.actor.alarm();
    }
  }

  class Processor extends DurableObject<Env> {
    actor = host<ProcessMethods>(this.ctx, this.env, "processor", (context) => {
      const process = named(processesOf(this.env), context.name);
      if (isTimeoutsProcess(process)) return timeoutsActor({ context, process, ...runtime });
      const events = eventsOf(process);
      return processActor({
        context,
        process: upcastProcess(process, events),
        log: erasure.othersLog(
          logOver(connectorFor(this.env, context), process.source),
          events,
          process.handles,
        ),
        ...runtime,
      });
    });
    /** Processes go by the configuration; what commands and projections do does not depend on it. */
    loaded = () => controlOf(this.env).link.load((work) => this.ctx.waitUntil(work));
    async call(call: ActorCall) {
      await this.loaded();
      return this.actor.call(call);
    }
    override async alarm() {
      await this.loaded();
      return this.actor.alarm();
    }
  }

  class Messenger extends DurableObject<Env> {
    actor = host(this.ctx, this.env, "messenger", (context) => {
      const { name, messages } = service;
      if (!messages) throw new Error(`Cannot start a messenger: "${name}" declares no messages`);
      const handlers = messages.handlers(partsOf(this.env));
      return messages.over.messengerLogic(context, { ...accessOf(this.env), service: name, handlers });
    });
    /** What handles a message may go by the configuration; what is sent does not wait for it. */
    loaded = () => controlOf(this.env).link.load((work) => this.ctx.waitUntil(work));
    call(call: ActorCall) {
      return this.actor.call(call);
    }
    override async alarm() {
      await this.loaded();
      return this.actor.alarm();
    }
  }

  class SubjectKeeper extends DurableObject<Env> {
    actor = host(this.ctx, this.env, "subject-keys", (context) => erasure.keeper(context, this.env));
    call(call: ActorCall) {
      return this.actor.call(call);
    }
  }

  const appOf = (env: Env): ServiceApp => {
    const actors = actorsOf(env);
    const { name, major, description, problems } = service;
    const { checks } = messagesOf(env);
    const readiness = [configurationCheck(env), ...serviceHealth(actors), ...checks];
    const { config } = controlOf(env);
    const identity = { verifier: serviceIdentity(name, env) };
    const app = createServiceApp({ name, major, description, problems, readiness, config, identity });
    const { projectors } = actors;
    operatorsOnly(app, ["/parked", "/subscriptions", "/projections", "/forgotten"], {
      anybody: env.OPERATORS === "anybody",
    });
    const { processors, processes } = actors;
    const events = { processors, names: processes };
    addProcessRoutes(app, thatPark(actors, service.projections));
    addSubscriptionRoutes(app, events);
    addEventSchemasRoute(app, name, service.events);
    erasure.addRoutes(app, env, commandsOf(env));
    addProjectionRoutes(app, { projectors, names: actors.projections });
    if (ofTenants) requireTenant(app);
    service.addRoutes(app, { ...partsOf(env), projectors });
    return app;
  };
  let app: ServiceApp | undefined;

  const handlers = {
    async fetch(request, env, ctx) {
      const { link } = controlOf(env);
      const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
      app ??= appOf(env);
      telemetryOf(env).flushSoon(waitUntil);
      await readyFor(request, link, waitUntil);
      const answer = await app.fetch(request, env, ctx);
      link.lookSoon(waitUntil);
      return answer;
    },
    async scheduled(_event, env) {
      const messengers = messagesOf(env).checks.map(({ check }) => check());
      await Promise.allSettled([wakeService(actorsOf(env)), ...messengers]);
    },
  } satisfies ExportedHandler<Env>;

  return { handlers, Commander, Projector, Processor, Messenger, SubjectKeeper };
};

/** Whose Actor has this name: the projection's, or one of its shards'. */
const ofShard = (projections: readonly Projection[], name: string): Projection =>
  projections.find((projection) => shardNames(projection).includes(name)) ??
  // Of another number of shards than now, it is still asked to end what it began.
  named(projections, name.replace(/#\d+$/, ""));

const noMessages = (service: string): ServiceMessages => {
  const reject = () => Promise.reject(new Error(`Cannot send a message: "${service}" declares no messages`));
  return { messaging: { publish: reject, ask: reject }, checks: [] };
};

/** Processes, and the projections that park. */
const thatPark = (
  { processors, processes, projectors }: ServiceActors,
  projections: readonly Projection[],
): { processors: Actors<ParkingMethods>; processes: readonly string[] } => {
  const parking = projections.filter(({ onFailure }) => onFailure === "park").map(({ name }) => name);
  return {
    processes: [...processes, ...parking],
    processors: {
      named: (name) => (processes.includes(name) ? processors.named(name) : projectors.named(name)),
    },
  };
};

const named = <T extends { readonly name: string }>(all: readonly T[], name: string): T => {
  const found = all.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new Error(`Cannot start "${name}": expected one of ${all.map((one) => one.name).join(", ")}`);
};
