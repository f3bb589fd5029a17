/** The control plane's Actor: puts its parts together around one ledger, one alarm and one SQLite. */
import { SealingError } from "#shared/config/sealing.ts";
import { LIMITS } from "#shared/limits.ts";
import { err } from "#shared/result.ts";
import type { ActorContext, ActorLogic, ActorMethods } from "#shared/runtime/actor.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import { alarmClock } from "./alarm-clock.ts";
import { type DocumentMethods, documentStore } from "./documents/document-store.ts";
import { documentTables } from "./documents/document-tables.ts";
import { createLedger, markedLedger } from "./ledger.ts";
import type { RegistryMethods } from "./registry/registration.ts";
import { type RegistryStoreOptions, registryStore } from "./registry/registry-store.ts";
import { createRollouts, type RolloutMethods } from "./rollouts/rollouts.ts";
import { createSeals } from "./seals.ts";
import { createSpread, type SpreadMethods } from "./spread/spread.ts";
import { type TokenMethods, tokenStore } from "./tokens/token-store.ts";

/** The Actor's name: there is one. */
export const CONTROL_PLANE = "control-plane";

export type ControlMethods = DocumentMethods &
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

export const controlPlane = (options: ControlPlaneOptions): ActorLogic<ControlMethods> => {
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
  const tables = documentTables(sql);
  const { probe, allowedHosts, bindings } = options;
  const registry = registryStore({ sql, ledger, clock, random, probe, allowedHosts, bindings });
  const spread = createSpread({
    ...{ sql, clock, random, ledger, keyValue, registry, rollouts },
    documents: { ...documents, names: () => tables.standing(FIRST_DOCUMENT, LIMITS.documents) },
    configsChangedAt: configs.newestEpoch,
    sealFor: seals.sealFor,
  });

  return {
    methods: armedAfter(alarm.arm, {
      ...documents.methods,
      ...registry.methods,
      ...rollouts.methods,
      ...spread.methods,
      ...tokenStore({ sql, clock }),
    }),
    alarm: alarm.ring,
  };
};

/** Sorts before every document's name. */
const FIRST_DOCUMENT = { service: "", profile: "" };

/** The same methods; after each, also one that threw, the alarm is set for whatever it gave a part to do. */
const armedAfter = <Methods extends ActorMethods>(arm: () => Promise<void>, methods: Methods): Methods =>
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (input: unknown) => {
        try {
          return await method(input);
        } catch (error) {
          if (error instanceof SealingError) return err(sealingRefused(error));
          throw error;
        } finally {
          // What was answered stands all the same; the next call arms again, and a change has its alarm since before it.
          await arm().catch(() => undefined);
        }
      },
    ]),
  ) as Methods;

/** Says which key is missing, and holds neither a key nor a text. */
const sealingRefused = ({ message }: SealingError) => ({
  code: "unavailable",
  detail: `Sealing a secret: ${message}.`,
});
