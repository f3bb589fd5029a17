/** The control plane's Actor: puts its parts together around one ledger, one alarm and one SQLite. */
import type { ActorContext, ActorLogic, ActorMethods } from "#shared/runtime/actor.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { alarmClock } from "./alarm-clock.ts";
import { answeringLooks, type BreakerMethods } from "./breakers/answering-looks.ts";
import { breakerQuorum } from "./breakers/quorum.ts";
import { type DocumentMethods, documentStore } from "./documents/document-store.ts";
import { createLedger, markedLedger } from "./ledger.ts";
import type { RegistryMethods } from "./registry/registration.ts";
import { type RegistryStoreOptions, registryStore } from "./registry/registry-store.ts";
import { createRollouts, type RolloutMethods } from "./rollouts/rollouts.ts";
import { createSeals } from "./seals.ts";
import { createSpread, type SpreadMethods } from "./spread/spread.ts";
import { type TokenMethods, tokenStore } from "./tokens/token-store.ts";
import { type Telling, tellingEpoch } from "./told-epoch.ts";

/** The Actor's name: there is one. */
export const CONTROL_PLANE = "control-plane";

export type ControlMethods = BreakerMethods &
  DocumentMethods &
  RegistryMethods &
  RolloutMethods &
  SpreadMethods &
  TokenMethods;

export interface ControlPlaneOptions
  extends Pick<RegistryStoreOptions, "probe" | "allowedHosts" | "bindings"> {
  readonly context: Pick<ActorContext, "sql" | "alarm">;
  readonly snapshots: KeyValue;
  readonly clock: Clock;
  readonly random: Random;
  /** `CONTROL_KEYS`; without, secrets are refused. */
  readonly keys: string | undefined;
  /** Tells long-lived processes of a new epoch; what it rejects with is nobody's trouble. */
  readonly broadcast: (epoch: number) => Promise<void>;
}

export const controlPlane = (options: ControlPlaneOptions): ActorLogic<Telling<ControlMethods>> => {
  const { context, snapshots: keyValue, clock, random, broadcast } = options;
  const { sql } = context;
  const alarm = alarmClock({
    alarm: context.alarm,
    clock,
    parts: () => ({ registry, rollouts, snapshots: spread.snapshots }),
  });
  const ledger = createLedger({
    sql,
    clock,
    beforeChange: alarm.beforeChange,
    afterChange: (epoch) => void broadcast(epoch).catch(() => undefined),
  });
  const configs = markedLedger(ledger);
  const seals = createSeals(options.keys);
  const rollouts = createRollouts({ sql, clock, ledger: configs, candidates: () => documents.candidates });
  const documents = documentStore({ sql, ledger: configs, clock, seals: seals.atRest, rollouts });
  const { probe, allowedHosts, bindings } = options;
  const registry = registryStore({ sql, ledger, clock, random, probe, allowedHosts, bindings });
  const spread = createSpread({
    ...{ sql, clock, random, ledger, keyValue, registry, rollouts, documents },
    configsChangedAt: configs.newestEpoch,
    sealFor: seals.sealFor,
  });

  const methods: ControlMethods = {
    ...documents.methods,
    ...registry.methods,
    ...rollouts.methods,
    ...spread.methods,
    ...answeringLooks({
      quorum: breakerQuorum({ clock }),
      isRegistered: async ({ service, instance }) =>
        (await registry.methods.findInstance({ service, id: instance })).ok,
      look: spread.methods.look,
    }),
    ...tokenStore({ sql, clock }),
  };
  return { methods: tellingEpoch(armedAfter(alarm.arm, methods), ledger.epoch), alarm: alarm.ring };
};

/** The same methods; after each, also one that threw, the alarm is set for whatever it gave a part to do. */
const armedAfter = <Methods extends ActorMethods>(arm: () => Promise<void>, methods: Methods): Methods =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (input: unknown) => {
        try {
          return await method(input);
        } finally {
          // What was answered stands all the same; the next call arms again, and a change has its alarm since before it.
          await arm().catch(() => undefined);
        }
      },
    ]),
  ) as Methods;
