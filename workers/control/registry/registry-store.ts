/** The registry in the control plane's Actor: takes registrations, probes, judges leases, and tells what changed. */
import { LIMITS } from "#shared/limits.ts";
import { checkInstanceUrl } from "#shared/registry/allowed-url.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { Ledger, Scheduled } from "../part.ts";
import { aged, drained, ordered, probed } from "./instance-life.ts";
import { massFailures } from "./mass-failure.ts";
import { type Probe, type Probed, probeRounds } from "./probe-rounds.ts";
import type { InstanceName, RegisteredService, Registration, RegistryMethods } from "./registration.ts";
import { type RegistryTables, registryTables } from "./registry-tables.ts";
import {
  definitionOf,
  type InstanceChange,
  isVisible,
  registeredInstanceOf,
  type StoredInstance,
  termsOf,
} from "./stored-instance.ts";
import {
  type RegistrationRequest,
  type RegistryBounds,
  type SeenAtFirst,
  takeRegistration,
} from "./take-registration.ts";

export interface RegistryStoreOptions {
  readonly sql: ActorSql;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: Probe;
  /** `REGISTRY_ALLOWED_HOSTS`, as `checkInstanceUrl` reads it. */
  readonly allowedHosts: string;
  /** Names of the service bindings that instances may stand behind. */
  readonly bindings: readonly string[];
  readonly bounds?: RegistryBounds;
}

export interface RegistryStore extends Scheduled {
  readonly methods: RegistryMethods;
  /** Every service that has instances. */
  all(): ServiceEntry[];
  /** The services that changed after this epoch; those without instances are no longer registered. */
  changedSince(epoch: number): ServiceEntry[];
  /** Of what was before this epoch, services that are gone may be forgotten: who has less must be told everything. */
  prunedBefore(): number;
}

const BOUNDS: RegistryBounds = {
  services: LIMITS.registryServices,
  instances: LIMITS.registryInstances,
  instancesPerService: LIMITS.registryInstancesPerService,
  characters: LIMITS.registryCharacters,
  servicesGone: LIMITS.registryServicesGone,
};

/** What is to change, and what to answer once it has. */
type Decision<Value, Refusal> = Result<{ changes: InstanceChange[]; value: Value }, Refusal>;

export const registryStore = (options: RegistryStoreOptions): RegistryStore => {
  const { sql, ledger, clock, random, probe, allowedHosts, bindings, bounds = BOUNDS } = options;
  const tables = registryTables(sql, { goneMax: bounds.servicesGone });
  const failures = massFailures(sql, tables);

  /**
   * Decides and writes. What nobody else sees, as a renewed lease, is written at once and leaves the epoch; else the decision
   * is made again inside of the ledger's change, since others may have come between.
   */
  const make = async <Value, Refusal>(
    decide: (now: number, epoch: number) => Decision<Value, Refusal>,
  ): Promise<Result<Value, Refusal>> => {
    const plan = (epoch: number) => {
      const now = clock();
      const decision = decide(now, epoch);
      if (!decision.ok) return decision;
      return ok({ now, value: decision.value.value, ...failures.protect(decision.value.changes, now) });
    };
    const write = (made: Extract<ReturnType<typeof plan>, { ok: true }>["value"], epoch?: number) => {
      for (const change of made.changes) tables.write(change, epoch);
      failures.write(made.changes, made.starts, made.now);
      return ok(made.value);
    };
    const first = plan(ledger.epoch() + 1);
    if (!first.ok) return first;
    if (!first.value.changes.some(isVisible)) return sql.transaction(() => write(first.value));
    return ledger.change((epoch) => {
      const made = plan(epoch);
      return made.ok ? write(made.value, epoch) : made;
    });
  };

  const rounds = probeRounds({
    probe,
    clock,
    random,
    due: (limit) => tables.probesDue(clock(), limit),
    async write(results) {
      await make((now) =>
        ok({ changes: results.flatMap((one) => changeBy(tables, one, now)), value: undefined }),
      );
    },
  });

  /**
   * Asks who is about to begin before it is written: it is up in the same change by which it is known. Who is slow, and who
   * comes while as many are asked as may be, is asked by the alarm.
   */
  let askedAtFirst = 0;
  const seenAtFirst = async (request: RegistrationRequest): Promise<SeenAtFirst | undefined> => {
    const tried = takeRegistration(tables, request, { now: clock(), epoch: ledger.epoch(), bounds });
    if (!tried.ok || !tried.value.value.anew || askedAtFirst >= LIMITS.registryUrlProbesAtOnce)
      return undefined;
    askedAtFirst++;
    return rounds.ask(tried.value.value.instance, LIMITS.registryFirstProbeMs).finally(() => askedAtFirst--);
  };

  const judgeTimers = async (): Promise<void> => {
    if (tables.timersDue(clock()).length === 0) return;
    await make((now) =>
      ok({ changes: tables.timersDue(now).map((due) => timedOut(due, now)), value: undefined }),
    );
  };

  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    await judgeTimers();
    await rounds.round();
    await judgeTimers();
  };

  const changeOf = (name: InstanceName, change: (before: StoredInstance) => StoredInstance | undefined) => {
    const before = tables.find(name.service, name.id);
    if (!before) return err(instanceNotFound(name));
    const after = change(before);
    return ok({ changes: [{ before, after }], value: after ?? before });
  };

  return {
    methods: {
      async registerInstance({ service, id, registration }) {
        const place = checkPlace(registration, { allowedHosts, bindings });
        if (!place.ok) return place;
        const definition = definitionOf(registration, place.value);
        const request = { service, id, definition, said: registration.state };
        const seen = await seenAtFirst(request);
        const taken = await make((now, epoch) =>
          takeRegistration(tables, { ...request, seen }, { now, epoch, bounds }),
        );
        if (!taken.ok) return taken;
        const { created, instance } = taken.value;
        if (instance.life.probeAt !== undefined && instance.life.probeAt <= clock()) rounds.join(instance);
        const { ttlSeconds } = definition;
        return ok({
          created,
          instance: registeredInstanceOf(instance),
          ...(ttlSeconds !== undefined && { renewWithinSeconds: Math.max(1, Math.floor(ttlSeconds / 3)) }),
        });
      },
      async drainInstance({ drainSeconds, ...name }) {
        let removedAt = 0;
        const made = await make((now) =>
          changeOf(name, (before) => {
            const life = drained(before.life, now + drainSeconds * 1_000);
            removedAt = life.removeAt ?? now;
            return removedAt <= now ? undefined : { ...before, life };
          }),
        );
        return made.ok ? ok({ removedAt }) : made;
      },
      async setInstanceState({ state, ...name }) {
        const made = await make(() =>
          changeOf(name, (before) => ({ ...before, life: ordered(before.life, state === "out_of_service") })),
        );
        return made.ok ? ok(registeredInstanceOf(made.value)) : made;
      },
      listServices: async (page) => listServices(tables, page),
      async findService({ service }) {
        const epoch = tables.epochOf(service);
        if (epoch !== undefined) return ok(serviceOf(tables, { service, epoch }));
        return err({
          code: "service_not_registered",
          detail: `Looking for the service "${service}": expected one with a registered instance.`,
        });
      },
      async findInstance(name) {
        const found = tables.find(name.service, name.id);
        return found ? ok(registeredInstanceOf(found)) : err(instanceNotFound(name));
      },
    },
    due: () => tables.nextAt(),
    run() {
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
    all: () => tables.entries(0).filter(({ instances }) => instances.length > 0),
    changedSince: (epoch) => tables.entries(epoch),
    prunedBefore: () => tables.prunedBefore(),
  };
};

/** The instance may have been replaced, drained or lost while it was asked: then its answer says nothing. */
const changeBy = (tables: RegistryTables, { asked, result, next }: Probed, now: number): InstanceChange[] => {
  const before = tables.find(asked.service, asked.id);
  const check = before?.definition.health;
  if (!before || !check || before.generation !== asked.generation) return [];
  return [{ before, after: { ...before, life: probed(before.life, check, { result, now, next }) } }];
};

const timedOut = (before: StoredInstance, now: number): InstanceChange => {
  const { removeAt } = before.life;
  if (removeAt !== undefined && removeAt <= now) return { before };
  return { before, after: { ...before, life: aged(before.life, termsOf(before.definition), now) } };
};

const checkPlace = (
  { url, binding }: Registration,
  { allowedHosts, bindings }: Pick<RegistryStoreOptions, "allowedHosts" | "bindings">,
) => {
  if (url !== undefined) {
    const checked = checkInstanceUrl(url, allowedHosts);
    if (checked.ok) return ok(checked.value.href.replace(/\/+$/, ""));
    return err({ code: "url_not_allowed" as const, detail: checked.error.detail });
  }
  if (binding !== undefined && bindings.includes(binding)) return ok(undefined);
  return err({
    code: "binding_not_known" as const,
    detail: `Taking the binding "${binding}": expected ${bindings.length === 0 ? "none, there are no bindings" : `one of "${bindings.join('", "')}"`}.`,
  });
};

const serviceOf = (
  tables: RegistryTables,
  { service, epoch }: { service: string; epoch: number },
): RegisteredService => ({
  service,
  epoch,
  instances: tables.instancesOf(service).map(registeredInstanceOf),
});

/** A page ends before the service with which it would hold too many instances, but holds one service at least. */
const listServices = (tables: RegistryTables, { after, limit }: { after: string; limit: number }) => {
  const found = tables.servicesAfter(after, limit + 1);
  let instances = 0;
  const fitting = found.slice(0, limit).filter((entry, index) => {
    instances += entry.instances;
    return index === 0 || instances <= LIMITS.registryPageInstances;
  });
  return {
    services: fitting.map((entry) => serviceOf(tables, entry)),
    last: fitting.length === found.length,
  };
};

const instanceNotFound = ({ service, id }: InstanceName) => ({
  code: "instance_not_found" as const,
  detail: `Looking for the instance "${id}" of the service "${service}": expected one that is registered.`,
});
