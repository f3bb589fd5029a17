/** Answers looks: what changed since the epoch that an isolate has, and nothing else. */
import type { Changes, ConfigPart, Look } from "#shared/control/changes.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import type { OriginLedger } from "../ledger.ts";
import type { Rollouts } from "../rollouts/rollouts.ts";
import type { ConfigParts } from "./config-parts.ts";
import type { LookedFor } from "./looked-for.ts";
import type { Rejections } from "./rejections.ts";

export interface RegistryEntries {
  all(): readonly ServiceEntry[];
  /** Services that changed after this epoch; those that are gone have no instances. */
  changedSince(epoch: number): readonly ServiceEntry[];
  /** Services that went before this epoch may be forgotten: who has less must be told everything. */
  prunedBefore(): number;
}

/** A look, and whose it is. */
export interface AskedLook extends Look {
  /** A process asks, which keeps what it knows by itself: no snapshot is written because of it. */
  readonly ofProcess?: boolean;
}

/** Undefined when nothing is new. */
export type AnswerLook = (look: AskedLook) => Promise<Changes | undefined>;

export type LookMethods = { look: AnswerLook };

export interface ChangesOptions {
  readonly ledger: OriginLedger;
  readonly registry: RegistryEntries;
  readonly configs: ConfigParts;
  readonly rollouts: Pick<Rollouts, "count">;
  readonly lookedFor: LookedFor;
  readonly rejections: Rejections;
  /** Told when a configuration cannot be sealed; the look is answered without it then. */
  readonly onUnsealable: (look: Look, error: unknown) => void;
  /** Told when it can. */
  readonly onSealed: (look: Look) => void;
}

export const changesSince = (options: ChangesOptions): LookMethods => {
  const { ledger, registry, configs, rollouts, lookedFor, rejections, onUnsealable, onSealed } = options;

  const sealedPart = async (look: Look): Promise<ConfigPart | undefined> => {
    try {
      const part = await configs.part(look);
      onSealed(look);
      return part;
    } catch (error) {
      onUnsealable(look, error);
      return undefined;
    }
  };

  return {
    async look(look) {
      if (!look.ofProcess) lookedFor.add(look);
      rejections.report(look);
      rollouts.count(look.counts ?? []);
      const epoch = ledger.epoch();
      if (look.epoch === epoch) return undefined;

      // An epoch from outside of this ledger says nothing of what its holder knows.
      const isForeign = look.epoch < ledger.origin() || look.epoch > epoch;
      const whole = isForeign || look.epoch < registry.prunedBefore();
      const changedAt = ledger.changedAt();
      const services = whole ? registry.all() : registry.changedSince(look.epoch);
      const configEpoch = configs.epochOf(look);
      if (!isForeign && configEpoch <= look.epoch) return { epoch, changedAt, services, whole };
      const part = await sealedPart(look);
      // Who did not get its configuration has only what was before it, and asks for it again.
      return part
        ? { epoch, changedAt, services, whole, config: part }
        : { epoch: configEpoch - 1, changedAt, services, whole };
    },
  };
};
