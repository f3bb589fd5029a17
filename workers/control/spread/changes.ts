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
}

export type LookMethods = {
  /** Undefined when nothing is new. */
  look(look: Look): Promise<Changes | undefined>;
};

export interface ChangesOptions {
  readonly ledger: OriginLedger;
  readonly registry: RegistryEntries;
  readonly configs: ConfigParts;
  readonly rollouts: Pick<Rollouts, "count">;
  readonly lookedFor: LookedFor;
  readonly rejections: Rejections;
  /** Told when a configuration cannot be sealed; the look is answered without it then. */
  readonly onUnsealable: (look: Look, error: unknown) => void;
}

export const changesSince = (options: ChangesOptions): LookMethods => {
  const { ledger, registry, configs, rollouts, lookedFor, rejections, onUnsealable } = options;

  const sealedPart = async (look: Look, part: () => Promise<ConfigPart>): Promise<ConfigPart | undefined> => {
    try {
      return await part();
    } catch (error) {
      onUnsealable(look, error);
      return undefined;
    }
  };

  return {
    async look(look) {
      lookedFor.add(look);
      rejections.report(look);
      rollouts.count(look.counts ?? []);
      const epoch = ledger.epoch();
      if (look.epoch === epoch) return undefined;

      // An epoch from outside of this ledger says nothing of what its holder knows.
      const whole = look.epoch < ledger.origin() || look.epoch > epoch;
      const changedAt = ledger.changedAt();
      const services = whole ? registry.all() : registry.changedSince(look.epoch);
      const config = configs.at(look);
      const isNew = whole || config.epoch > look.epoch;
      const part = isNew ? await sealedPart(look, config.part) : undefined;
      return { epoch, changedAt, services, whole, ...(part && { config: part }) };
    },
  };
};
