/** How changes spread: looks that are answered, and snapshots for the time that nobody answers. */
import type { Look } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import type { OriginLedger } from "../ledger.ts";
import type { ConfigSides, DocumentName } from "../part.ts";
import type { Rollouts } from "../rollouts/rollouts.ts";
import { changesSince, type LookMethods, type RegistryEntries } from "./changes.ts";
import { configParts, type EffectiveConfigs } from "./config-parts.ts";
import { lookedFor } from "./looked-for.ts";
import { rejections } from "./rejections.ts";
import { createSnapshots, type Snapshots } from "./snapshots.ts";
import { type StatusMethods, statusMethods, type Unsealable } from "./status.ts";

export type SpreadMethods = LookMethods & StatusMethods;

export interface SpreadOptions {
  readonly sql: ActorSql;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: OriginLedger;
  readonly keyValue: KeyValue;
  readonly registry: RegistryEntries;
  readonly documents: SpreadDocuments;
  readonly rollouts: Rollouts;
  /** The newest epoch in which any configuration may have changed. */
  readonly configsChangedAt: () => number;
  readonly sealFor: (service: string, sides: ConfigSides) => Promise<ConfigSides>;
}

export interface SpreadDocuments extends EffectiveConfigs {
  /** Documents that stand, are being rolled out, or were removed. */
  names(): readonly DocumentName[];
}

export const createSpread = (
  options: SpreadOptions,
): { readonly methods: SpreadMethods; readonly snapshots: Snapshots } => {
  const { sql, clock, random, ledger, keyValue, registry, documents, rollouts, sealFor } = options;
  const configs = configParts({ documents, sealFor, rollouts: rollouts.underWay });
  const looked = lookedFor(sql, () => snapshots.nameAdded());
  const rejected = rejections({ clock });
  const unsealable = unsealableConfigs();
  const snapshots = createSnapshots({
    ...{ sql, clock, random, ledger, keyValue, registry, configs },
    configsChangedAt: options.configsChangedAt,
    names: () => withoutTwins([...looked.all(), ...documents.names().filter(isOfOne)]),
  });

  return {
    snapshots,
    methods: {
      ...changesSince({
        ...{ ledger, registry, configs, rollouts },
        lookedFor: looked,
        rejections: rejected,
        onUnsealable: unsealable.report,
        onSealed: unsealable.forget,
      }),
      ...statusMethods({
        ledger,
        snapshots: snapshots.status,
        rejected: () => rejected.all(configs.epochOf),
        unsealable: unsealable.all,
        rollouts: () => rollouts.methods.listRollouts(undefined),
      }),
    },
  };
};

const keyOf = ({ service, profile }: DocumentName): string => `${service}/${profile}`;

/** Shared documents are nobody's configuration by themselves. */
const isOfOne = ({ service }: DocumentName): boolean => service !== "shared";

const withoutTwins = (names: readonly DocumentName[]): DocumentName[] => [
  ...new Map(names.map((name) => [keyOf(name), name])).values(),
];

/** Configurations that could not be sealed when they were last asked for. */
const unsealableConfigs = () => {
  const found = new Map<string, Unsealable>();
  return {
    report({ service, profile }: Look, error: unknown) {
      if (found.size >= LIMITS.rejectedConfigsKept) return;
      const detail = error instanceof Error ? error.message : String(error);
      found.set(keyOf({ service, profile }), { service, profile, detail });
    },
    forget: (look: Look) => void found.delete(keyOf(look)),
    all: () => [...found.values()],
  };
};
