/** Keeps a mass failure from emptying the registry at once: the fault may be the control plane's own. */
import type { ActorSql } from "#shared/runtime/actor.ts";
import { fellSince, isWell, shielded } from "./instance-life.ts";
import type { RegistryTables } from "./registry-tables.ts";
import type { InstanceChange, StoredInstance } from "./stored-instance.ts";

/** Falls within this time are one failure. */
export const WINDOW_MS = 30_000;
/** How long what fell in a mass failure is degraded instead of down. */
const SHIELD_MS = 60_000;

/** The smallest number of instances of which more than half can be a mass. */
const SERVICE_MIN = 2;
const ALL_MIN = 3;

/** Stands for all services together; no service has this name. */
const ALL = "";

export interface MassFailures {
  /**
   * The changes with those shielded that fell in a mass failure, instances that fell shortly before included. `starts`
   * are the scopes whose protection begins with it, to be given to `write`.
   */
  protect(
    changes: readonly InstanceChange[],
    now: number,
  ): { changes: InstanceChange[]; starts: readonly string[] };
  /** Notes protections that begin, and what recovered: a scope is protected again only after that. */
  write(changes: readonly InstanceChange[], starts: readonly string[], now: number): void;
}

type Protection = { scope: string; ends_at: number; recovered: number };

export const massFailures = (sql: ActorSql, tables: RegistryTables): MassFailures => {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS registry_protections (scope TEXT PRIMARY KEY, ends_at INTEGER NOT NULL, recovered INTEGER NOT NULL)",
  );
  const protectionOf = (scope: string) =>
    sql.exec<Protection>("SELECT * FROM registry_protections WHERE scope = ?", scope)[0];

  const verdict = (scope: string, changes: ReadonlyMap<string, InstanceChange>, now: number) => {
    const last = protectionOf(scope);
    if (last && now < last.ends_at) return { until: last.ends_at, since: now, starts: false };
    if (last && last.recovered === 0) return undefined;
    const since = Math.max(now - WINDOW_MS, last?.ends_at ?? 0);
    const { well, fallen } = countsOf(tables, { scope, changes, since });
    const isMass = well + fallen >= (scope === ALL ? ALL_MIN : SERVICE_MIN) && fallen > well;
    return isMass ? { until: now + SHIELD_MS, since, starts: true } : undefined;
  };

  return {
    protect(given, now) {
      const changes = new Map(given.map((change) => [keyOf(change), change]));
      const fell = given.filter((change) => hasFallen(change, now));
      const scopes = fell.length === 0 ? [] : [...new Set(fell.map(serviceOf)), ALL];
      const starts: string[] = [];
      for (const scope of scopes) {
        const protection = verdict(scope, changes, now);
        if (!protection) continue;
        if (protection.starts) starts.push(scope);
        shieldFallen(changes, { tables, scope, ...protection });
      }
      return { changes: [...changes.values()], starts };
    },
    write(changes, starts, now) {
      for (const change of changes.filter(hasRecovered)) {
        sql.exec(
          "UPDATE registry_protections SET recovered = 1 WHERE scope IN (?, ?)",
          serviceOf(change),
          ALL,
        );
      }
      for (const scope of starts) {
        sql.exec("INSERT OR REPLACE INTO registry_protections VALUES (?, ?, 0)", scope, now + SHIELD_MS);
      }
      for (const { before, after } of changes) {
        if (before && !after && tables.countOf(before.service) === 0) {
          sql.exec("DELETE FROM registry_protections WHERE scope = ?", before.service);
        }
      }
    },
  };
};

const serviceOf = ({ before, after }: InstanceChange): string => (after ?? before)?.service ?? ALL;
const keyOf = ({ before, after }: InstanceChange): string => {
  const instance = after ?? before;
  return `${instance?.service} ${instance?.id}`;
};

const hasFallen = ({ before, after }: InstanceChange, now: number): boolean =>
  before?.life.fellAt === undefined && after?.life.fellAt === now;

/** Up after it was down, or up for the first time. */
const hasRecovered = ({ before, after }: InstanceChange): boolean =>
  after?.life.health === "up" && before?.life.health !== "up" && before?.life.health !== "degraded";

/** How many of the scope are used and how many fell, once the changes are made. */
const countsOf = (
  tables: RegistryTables,
  { scope, changes, since }: { scope: string; changes: ReadonlyMap<string, InstanceChange>; since: number },
): { well: number; fallen: number } => {
  const well = (instance: StoredInstance | undefined) => (instance && isWell(instance.life) ? 1 : 0);
  const fell = (instance: StoredInstance | undefined) =>
    instance && fellSince(instance.life, since) ? 1 : 0;
  const stored = scope === ALL ? tables.fallCounts(since) : { well: 0, fallen: 0 };
  if (scope !== ALL) {
    for (const instance of tables.instancesOf(scope)) {
      stored.well += well(instance);
      stored.fallen += fell(instance);
    }
  }
  for (const change of changes.values()) {
    if (scope !== ALL && serviceOf(change) !== scope) continue;
    stored.well += well(change.after) - well(change.before);
    stored.fallen += fell(change.after) - fell(change.before);
  }
  return stored;
};

interface Shielding {
  readonly tables: RegistryTables;
  readonly scope: string;
  readonly since: number;
  readonly until: number;
}

/** Shields those of the changes that fell, and those that fell before them within the window. */
const shieldFallen = (
  changes: Map<string, InstanceChange>,
  { tables, scope, since, until }: Shielding,
): void => {
  const earlier = scope === ALL ? tables.fallenSince(since) : tables.instancesOf(scope);
  for (const instance of earlier) {
    const key = keyOf({ before: instance });
    if (!changes.has(key)) changes.set(key, { before: instance, after: instance });
  }
  for (const [key, { before, after }] of changes) {
    if (!after || (scope !== ALL && after.service !== scope) || !fellSince(after.life, since)) continue;
    changes.set(key, { before, after: { ...after, life: shielded(after.life, until) } });
  }
};
