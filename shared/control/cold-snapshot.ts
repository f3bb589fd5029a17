/** What a cold isolate takes from the KeyValue store when the control plane does not answer in time. */
import type { KeyValue } from "../storage/key-value.ts";
import type { Changes, ConfigPart } from "./changes.ts";
import { configPointer, configSnapshot, REGISTRY_POINTER, registrySnapshot } from "./snapshot-keys.ts";

export interface ColdSnapshotOptions {
  readonly snapshots: KeyValue;
  readonly service: string;
  readonly profile: string;
}

/**
 * Reads the newest snapshots, registry and configuration side by side; undefined when there are none.
 * @throws Error when a pointer's body is not there (yet): half of it would pass for the whole
 */
export const coldSnapshot =
  ({ snapshots, service, profile }: ColdSnapshotOptions) =>
  async (): Promise<Changes | undefined> => {
    const [registry, config] = await Promise.all([
      pointedAt<Changes>(snapshots, REGISTRY_POINTER, registrySnapshot),
      pointedAt<ConfigPart>(snapshots, configPointer(service, profile), (epoch) =>
        configSnapshot(epoch, service, profile),
      ),
    ]);
    if (!registry && !config) return undefined;
    return {
      epoch: Math.max(registry?.epoch ?? 0, config?.epoch ?? 0),
      changedAt: registry?.changedAt ?? 0,
      services: registry?.services ?? [],
      whole: true,
      ...(config && { config }),
    };
  };

const pointedAt = async <Body>(
  snapshots: KeyValue,
  pointer: readonly string[],
  bodyAt: (epoch: number) => readonly string[],
): Promise<Body | undefined> => {
  const text = await snapshots.get(pointer);
  if (text === undefined) return undefined;
  const { epoch } = JSON.parse(text) as { epoch: number };
  const body = await snapshots.get(bodyAt(epoch));
  if (body !== undefined) return JSON.parse(body) as Body;
  throw new Error(
    `Reading the snapshot "${bodyAt(epoch).join("/")}": expected it where "${pointer.join("/")}" points`,
  );
};
