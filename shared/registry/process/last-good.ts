/** Keeps what a process learned last where it finds it at its next start, should the control plane be away then. */
import type { Changes, ConfigPart } from "../../control/changes.ts";
import {
  configPointer,
  configSnapshot,
  REGISTRY_POINTER,
  registrySnapshot,
} from "../../control/snapshot-keys.ts";
import type { KeyValue } from "../../storage/key-value.ts";

/**
 * Returns what writes snapshots in the form of the control plane's own, so that a link reads both alike: the body, then the
 * pointer, then the old body goes. Secrets stay sealed. @throws what the store throws
 */
export const lastGood = (store: KeyValue) => {
  const replace = async (
    pointer: readonly string[],
    bodyAt: (epoch: number) => readonly string[],
    body: Snapshot,
  ) => {
    const before = await store.get(pointer);
    await store.put(bodyAt(body.epoch), JSON.stringify(body));
    await store.put(pointer, JSON.stringify({ epoch: body.epoch }));
    const old = before === undefined ? undefined : (JSON.parse(before) as { epoch: number }).epoch;
    if (old !== undefined && old !== body.epoch) await store.remove(bodyAt(old));
  };

  return {
    registry: (changes: Changes): Promise<void> => replace(REGISTRY_POINTER, registrySnapshot, changes),
    config: (part: ConfigPart): Promise<void> =>
      replace(
        configPointer(part.service, part.profile),
        (epoch) => configSnapshot(epoch, part.service, part.profile),
        part,
      ),
  };
};

type Snapshot = Changes | ConfigPart;
