/** A service's configuration as it travels: merged, its secrets sealed for it alone, with the roll-out that touches it. */
import type { ConfigPart, Rollout } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ConfigSides, DocumentName, EffectiveConfig } from "../part.ts";
import type { RolloutsUnderWay } from "../rollouts/rollouts.ts";

export interface EffectiveConfigs {
  effectiveOf(service: string, profile: string): EffectiveConfig;
  /** The epoch of the same; 0 when no document was ever written. */
  effectiveEpochOf(service: string, profile: string): number;
}

export interface ConfigPartsOptions {
  readonly documents: EffectiveConfigs;
  /** The same with each secret sealed for the service; rejects when one cannot be opened. */
  readonly sealFor: (service: string, sides: ConfigSides) => Promise<ConfigSides>;
  readonly rollouts: RolloutsUnderWay;
}

export interface ConfigParts {
  /** The epoch of the configuration's last change, its roll-outs included; 0 for none. */
  epochOf(name: DocumentName): number;
  /** The configuration as it is when this is called; rejects when a secret of it cannot be sealed. */
  part(name: DocumentName): Promise<ConfigPart>;
}

export const configParts = ({ documents, sealFor, rollouts }: ConfigPartsOptions): ConfigParts => {
  const sealed = sealedParts();

  const epochOf = ({ service, profile }: DocumentName): number =>
    Math.max(
      documents.effectiveEpochOf(service, profile),
      ...layersOf({ service, profile }).map(rollouts.epochOf),
    );

  /** Reads all there is to read before anything is waited for. */
  const read = ({ service, profile }: DocumentName) => {
    const { stable, candidate } = documents.effectiveOf(service, profile);
    const row = candidate && rollouts.find(candidate.document);
    return { stable, rollout: row && { id: row.id, by: row.plan.by, percentage: row.percentage }, candidate };
  };

  return {
    epochOf,
    async part({ service, profile }) {
      const epoch = epochOf({ service, profile });
      const known = sealed.get({ service, profile }, epoch);
      if (known) return known;
      const { stable, candidate, rollout: terms } = read({ service, profile });
      const { value, flags } = await sealFor(service, stable);
      const other = candidate && (await sealFor(service, candidate));
      const rollout: Rollout | undefined = terms &&
        other && { ...terms, value: other.value, flags: other.flags };
      const part: ConfigPart = { service, profile, epoch, value, flags, ...(rollout && { rollout }) };
      sealed.put(part);
      return part;
    },
  };
};

/** The documents that are merged under this name. */
const layersOf = ({ service, profile }: DocumentName): DocumentName[] =>
  ["shared", service].flatMap((owner) => [
    { service: owner, profile: "default" },
    { service: owner, profile },
  ]);

/** What a part takes beside its text: many empty ones, of names that somebody made up, shall not fill the memory. */
const PART_BYTES = 1_024;

/** The newest part of each name, those that were used last, up to `LIMITS.configPartsCachedBytes` together. */
const sealedParts = () => {
  const parts = new Map<string, { part: ConfigPart; bytes: number }>();
  let bytesInAll = 0;

  const drop = (key: string) => {
    bytesInAll -= parts.get(key)?.bytes ?? 0;
    parts.delete(key);
  };

  return {
    get(name: DocumentName, epoch: number): ConfigPart | undefined {
      const key = keyOf(name);
      const found = parts.get(key);
      if (found?.part.epoch !== epoch) return undefined;
      parts.delete(key);
      parts.set(key, found);
      return found.part;
    },
    put(part: ConfigPart) {
      const key = keyOf(part);
      const bytes = JSON.stringify(part).length + PART_BYTES;
      drop(key);
      parts.set(key, { part, bytes });
      bytesInAll += bytes;
      for (const oldest of parts.keys()) {
        if (bytesInAll <= LIMITS.configPartsCachedBytes) return;
        drop(oldest);
      }
    },
  };
};

const keyOf = ({ service, profile }: DocumentName): string => `${service}/${profile}`;
