/** Writes what changed to a KeyValue store: for isolates that start while the control plane is away. */
import type { Changes } from "#shared/control/changes.ts";
import {
  configPointer,
  configSnapshot,
  REGISTRY_POINTER,
  registrySnapshot,
} from "#shared/control/snapshot-keys.ts";
import { backoffMs } from "#shared/cqrs/backoff.ts";
import { LIMITS } from "#shared/limits.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { KeyValue } from "#shared/storage/key-value.ts";
import type { DocumentName, Ledger, Scheduled } from "../part.ts";
import type { RegistryEntries } from "./changes.ts";
import type { ConfigParts } from "./config-parts.ts";
import { type SnapshotBody, type SnapshotTable, snapshotTable } from "./snapshot-table.ts";

export interface SnapshotStatus {
  /** Up to this epoch everything is written; 0 for nothing yet. */
  readonly epoch: number;
  /** Why the last attempt failed; absent when it did not. */
  readonly lastError?: string;
}

export interface Snapshots extends Scheduled {
  status(): SnapshotStatus;
  /** A name came to those that have snapshots: its configuration may have changed long ago. */
  nameAdded(): void;
}

export interface SnapshotOptions {
  readonly sql: ActorSql;
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly registry: RegistryEntries;
  readonly configs: ConfigParts;
  /** The newest epoch in which any configuration may have changed: not all need to be looked at after another one. */
  readonly configsChangedAt: () => number;
  /** Configurations that have snapshots. */
  readonly names: () => readonly DocumentName[];
}

/** Made late, one by one: together they may be more than the memory holds. */
type Writing = () => Promise<SnapshotBody & { readonly value: string }>;

/**
 * At most one run in `LIMITS.snapshotPauseMs`, and `LIMITS.snapshotsPerRun` bodies in it. All bodies of a run are put before the
 * first pointer, so that no pointer ever names a body that is not there. What fails is tried again with backoff.
 */
export const createSnapshots = (options: SnapshotOptions): Snapshots => {
  const { sql, keyValue, clock, random, ledger, configsChangedAt } = options;
  const table = snapshotTable(sql);
  let notBefore = 0;
  let failures = 0;
  let lastError: string | undefined;

  /** Returns what failed. */
  const write = async (): Promise<readonly unknown[]> => {
    const epoch = ledger.epoch();
    const wanted = outdated(options, table);
    const tried = turnOf(wanted, failures);
    const put: SnapshotBody[] = [];
    const unput = await inTurns(tried, async (make) => {
      const { value, ...body } = await make();
      table.begin(body);
      await keyValue.put(body.key, value);
      put.push(body);
    });
    const unpointed = await inTurns(put, async (body) => {
      await keyValue.put(body.pointer, JSON.stringify({ epoch: body.epoch }));
      table.point(body, clock());
    });
    const failed = [...unput, ...unpointed];
    if (failed.length === 0 && tried.length === wanted.length) table.wrote(epoch);
    return failed;
  };

  const removeSuperseded = async (): Promise<readonly unknown[]> => {
    const old = table.supersededBefore(clock() - LIMITS.snapshotKeptMs, LIMITS.snapshotsPerRun);
    return inTurns(old, async (key) => {
      await keyValue.remove(key);
      table.forget(key);
    });
  };

  const attempt = async () => {
    const started = clock();
    try {
      const unwritten = table.writtenEpoch() < ledger.epoch() ? await write() : [];
      // Also when one configuration can never be written: what others left behind would pile up meanwhile.
      const [failed] = [...unwritten, ...(await removeSuperseded())];
      if (failed !== undefined) throw failed;
      failures = 0;
      lastError = undefined;
      notBefore = started + LIMITS.snapshotPauseMs;
    } catch (error) {
      failures++;
      lastError = error instanceof Error ? error.message : String(error);
      notBefore = started + Math.max(LIMITS.snapshotPauseMs, backoffMs(failures, random));
    }
  };

  const due = (): number | undefined => {
    // Not by when the epoch began: a clock that was ahead then would hold everything back until it is there again.
    if (table.writtenEpoch() < ledger.epoch()) return notBefore;
    const superseded = table.firstSuperseded();
    return superseded === undefined ? undefined : Math.max(notBefore, superseded + LIMITS.snapshotKeptMs + 1);
  };

  return {
    due,
    async run() {
      if ((due() ?? Number.POSITIVE_INFINITY) <= clock()) await attempt();
    },
    nameAdded() {
      const newest = configsChangedAt();
      table.wrote(Math.min(table.writtenEpoch(), newest - 1));
    },
    status: () => ({ epoch: table.writtenEpoch(), ...(lastError !== undefined && { lastError }) }),
  };
};

/** Everything whose newest form is not what its pointer names. */
const outdated = (
  { ledger, registry, configs, configsChangedAt, names }: SnapshotOptions,
  table: SnapshotTable,
): readonly Writing[] => {
  const bodies: Writing[] = [];
  const registryEpoch = table.pointedEpoch(REGISTRY_POINTER);
  const isOld = registryEpoch === 0 || registryEpoch < registry.prunedBefore();
  if (isOld || registry.changedSince(registryEpoch).length > 0) {
    bodies.push(async () => {
      const epoch = ledger.epoch();
      const whole: Changes = { epoch, changedAt: ledger.changedAt(), services: registry.all(), whole: true };
      return { key: registrySnapshot(epoch), pointer: REGISTRY_POINTER, epoch, value: JSON.stringify(whole) };
    });
  }
  if (configsChangedAt() <= table.writtenEpoch()) return bodies;
  for (const name of names()) {
    const pointer = configPointer(name.service, name.profile);
    if (configs.epochOf(name) <= table.pointedEpoch(pointer)) continue;
    bodies.push(async () => {
      const part = await configs.part(name);
      const key = configSnapshot(part.epoch, name.service, name.profile);
      return { key, pointer, epoch: part.epoch, value: JSON.stringify(part) };
    });
  }
  return bodies;
};

/**
 * The first of a run; after failures the later ones have their turn, so that what always fails does not keep them out. The
 * very first, which is the registry when it is to be written, has its turn always.
 */
const turnOf = (wanted: readonly Writing[], failures: number): readonly Writing[] => {
  const [first, ...others] = wanted;
  if (!first || wanted.length <= LIMITS.snapshotsPerRun) return wanted;
  const start = (failures * LIMITS.snapshotsPerRun) % others.length;
  return [first, ...others.slice(start), ...others.slice(0, start)].slice(0, LIMITS.snapshotsPerRun);
};

/** Workers allow six connections at once. */
const CONNECTIONS = 6;

/** Does what can be done, and returns what failed: one item keeps none of the others back. */
const inTurns = async <Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<readonly unknown[]> => {
  const errors: unknown[] = [];
  for (let start = 0; start < items.length; start += CONNECTIONS) {
    const outcomes = await Promise.allSettled(items.slice(start, start + CONNECTIONS).map(work));
    for (const outcome of outcomes) if (outcome.status === "rejected") errors.push(outcome.reason);
  }
  return errors;
};
