/** A service's configuration as it travels: merged, its secrets sealed for it alone, with the roll-out that touches it. */
import type { ConfigPart, Rollout } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ConfigSides, DocumentName, EffectiveConfig } from "../part.ts";
import type { RolloutsUnderWay } from "../rollouts/rollouts.ts";

export interface ConfigPartsOptions {
  readonly effectiveOf: (name: DocumentName) => EffectiveConfig;
  /** The same with each secret sealed for the service; rejects when one cannot be opened. */
  readonly sealFor: (service: string, sides: ConfigSides) => Promise<ConfigSides>;
  readonly rollouts: RolloutsUnderWay;
}

/** One service's configuration at one moment. */
export interface ConfigAtEpoch {
  /** The epoch of its last change; 0 when nothing was ever written. */
  readonly epoch: number;
  /** Seals it, or takes what was sealed before. */
  part(): Promise<ConfigPart>;
}

export interface ConfigParts {
  /** Reads everything at once, so that what comes later is no part of it. */
  at(name: DocumentName): ConfigAtEpoch;
}

export const configParts = ({ effectiveOf, sealFor, rollouts }: ConfigPartsOptions): ConfigParts => {
  const sealed = sealedParts();

  const rolloutOf = async (service: string, { candidate }: EffectiveConfig): Promise<Rollout | undefined> => {
    const row = candidate && rollouts.find(candidate.document);
    if (!row) return undefined;
    const { value, flags } = await sealFor(service, candidate);
    return { id: row.id, by: row.plan.by, percentage: row.percentage, value, flags };
  };

  return {
    at(name) {
      const effective = effectiveOf(name);
      const epoch = Math.max(effective.epoch, ...layersOf(name).map(rollouts.epochOf));
      return {
        epoch,
        async part() {
          const known = sealed.get(name, epoch);
          if (known) return known;
          const row = rolloutOf(name.service, effective);
          const { value, flags } = await sealFor(name.service, effective.stable);
          const rollout = await row;
          const part = { ...nameOf(name), epoch, value, flags, ...(rollout && { rollout }) };
          sealed.put(part);
          return part;
        },
      };
    },
  };
};

const nameOf = ({ service, profile }: DocumentName): DocumentName => ({ service, profile });

/** The documents that are merged under this name. */
const layersOf = ({ service, profile }: DocumentName): DocumentName[] =>
  ["shared", service].flatMap((owner) => [
    { service: owner, profile: "default" },
    { service: owner, profile },
  ]);

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
      const bytes = JSON.stringify(part).length;
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
