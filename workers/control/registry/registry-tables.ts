/** The registry's tables: instances with what they are looked up by, services with their epochs, and how many there are. */
import type { ServiceEntry } from "#shared/registry/instance.ts";
import type { ActorSql, SqlRow, SqlValue } from "#shared/runtime/actor.ts";
import { isWell, type Life, timerOf } from "./instance-life.ts";
import {
  type Definition,
  type InstanceChange,
  instanceOf,
  isVisible,
  type StoredInstance,
} from "./stored-instance.ts";

export interface RegistryCounts {
  readonly services: number;
  readonly instances: number;
}

export interface RegistryTables {
  find(service: string, id: string): StoredInstance | undefined;
  /** By id. */
  instancesOf(service: string): StoredInstance[];
  /** Those whose timer is due. */
  timersDue(now: number): StoredInstance[];
  /** Those to be probed, the longest waiting first. */
  probesDue(now: number, limit: number): StoredInstance[];
  /** When the first timer or probe is due. */
  nextAt(): number | undefined;
  counts(): RegistryCounts;
  countOf(service: string): number;
  /** Of all definitions together, as they are stored. */
  characters(): number;
  /** Used instances of all services, and those that fell since then. */
  fallCounts(since: number): { well: number; fallen: number };
  /** Those that fell since then. */
  fallenSince(since: number): StoredInstance[];
  /** Services that have instances, by name. */
  servicesAfter(after: string, limit: number): { service: string; epoch: number; instances: number }[];
  epochOf(service: string): number | undefined;
  /** Writes a change; one that others can see needs the epoch under which they see it. */
  write(change: InstanceChange, epoch: number | undefined): void;
  entries(sinceEpoch: number): ServiceEntry[];
  prunedBefore(): number;
}

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS registry_instances (
     service TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL, registered_at INTEGER NOT NULL,
     fell_at INTEGER, timer_at INTEGER, probe_at INTEGER,
     definition TEXT NOT NULL, life TEXT NOT NULL, PRIMARY KEY (service, id)
   )`,
  "CREATE INDEX IF NOT EXISTS registry_by_timer ON registry_instances (timer_at) WHERE timer_at IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS registry_by_probe ON registry_instances (probe_at) WHERE probe_at IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS registry_by_fall ON registry_instances (fell_at) WHERE fell_at IS NOT NULL",
  "CREATE TABLE IF NOT EXISTS registry_services (service TEXT PRIMARY KEY, epoch INTEGER NOT NULL, instances INTEGER NOT NULL)",
  "CREATE INDEX IF NOT EXISTS registry_by_epoch ON registry_services (epoch)",
  "CREATE INDEX IF NOT EXISTS registry_gone ON registry_services (epoch) WHERE instances = 0",
  `CREATE TABLE IF NOT EXISTS registry_sums (
     id INTEGER PRIMARY KEY CHECK (id = 1), services INTEGER NOT NULL, instances INTEGER NOT NULL, well INTEGER NOT NULL,
     gone INTEGER NOT NULL, pruned_before INTEGER NOT NULL
   )`,
  "INSERT OR IGNORE INTO registry_sums VALUES (1, 0, 0, 0, 0, 0)",
  "CREATE TABLE IF NOT EXISTS registry_size (id INTEGER PRIMARY KEY CHECK (id = 1), characters INTEGER NOT NULL)",
  "INSERT OR IGNORE INTO registry_size SELECT 1, COALESCE(SUM(LENGTH(definition)), 0) FROM registry_instances",
];

type Row = {
  service: string;
  id: string;
  generation: number;
  registered_at: number;
  definition: string;
  life: string;
};

const storedOf = ({ service, id, generation, registered_at, definition, life }: Row): StoredInstance => ({
  service,
  id,
  generation,
  registeredAt: registered_at,
  definition: JSON.parse(definition) as Definition,
  life: JSON.parse(life) as Life,
});

export const charactersOf = (definition: Definition | undefined): number =>
  definition === undefined ? 0 : JSON.stringify(definition).length;

const wellIn = (instance: StoredInstance | undefined): number => (instance && isWell(instance.life) ? 1 : 0);

/** @param goneMax services without instances that are remembered, so that whoever looks later forgets them too */
export const registryTables = (sql: ActorSql, { goneMax }: { goneMax: number }): RegistryTables => {
  for (const statement of SCHEMA) sql.exec(statement);
  const select = (rest: string, ...params: SqlValue[]) =>
    sql.exec<Row>(`SELECT * FROM registry_instances ${rest}`, ...params).map(storedOf);
  const number = (statement: string, ...params: SqlValue[]): number | undefined => {
    const [row] = sql.exec<{ n: number | null }>(statement, ...params);
    return row?.n ?? undefined;
  };
  const sums = () => only<Sums>(sql.exec<Sums>("SELECT * FROM registry_sums"));
  const addToSums = (column: keyof Sums, by: number) => {
    if (by !== 0) sql.exec(`UPDATE registry_sums SET ${column} = ${column} + ?`, by);
  };
  const countOf = (service: string) =>
    number("SELECT instances AS n FROM registry_services WHERE service = ?", service) ?? 0;

  const addCharacters = (before: Definition | undefined, after: Definition | undefined) => {
    const more = charactersOf(after) - charactersOf(before);
    if (more !== 0) sql.exec("UPDATE registry_size SET characters = characters + ?", more);
  };

  const writeInstance = ({ before, after }: InstanceChange): void => {
    if (!after) {
      if (!before) return;
      sql.exec("DELETE FROM registry_instances WHERE service = ? AND id = ?", before.service, before.id);
      return;
    }
    const { life, service, id } = after;
    const times = [life.fellAt, timerOf(life), life.probeAt].map((value) => value ?? null);
    if (before?.definition === after.definition) {
      sql.exec(
        "UPDATE registry_instances SET fell_at = ?, timer_at = ?, probe_at = ?, life = ? WHERE service = ? AND id = ?",
        ...times,
        JSON.stringify(life),
        service,
        id,
      );
      return;
    }
    sql.exec(
      "INSERT OR REPLACE INTO registry_instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      service,
      id,
      after.generation,
      after.registeredAt,
      ...times,
      JSON.stringify(after.definition),
      JSON.stringify(life),
    );
  };

  /** Keeps a service's epoch and number of instances; the last one's end leaves its name. */
  const writeService = (service: string, more: number, epoch: number): void => {
    const known = number("SELECT instances AS n FROM registry_services WHERE service = ?", service);
    sql.exec(
      `INSERT INTO registry_services VALUES (?, ?, ?)
       ON CONFLICT (service) DO UPDATE SET epoch = excluded.epoch, instances = instances + excluded.instances`,
      service,
      epoch,
      more,
    );
    const now = (known ?? 0) + more;
    addToSums("instances", more);
    if (now > 0 && !known) addToSums("services", 1);
    if (now > 0 && known === 0) addToSums("gone", -1);
    if (now === 0 && known) {
      addToSums("services", -1);
      addToSums("gone", 1);
      prune();
    }
  };

  const prune = (): void => {
    const tooMany = sums().gone - goneMax;
    if (tooMany <= 0) return;
    const oldest = sql.exec<{ service: string; epoch: number }>(
      "SELECT service, epoch FROM registry_services WHERE instances = 0 ORDER BY epoch LIMIT ?",
      tooMany,
    );
    for (const { service, epoch } of oldest) {
      sql.exec("DELETE FROM registry_services WHERE service = ?", service);
      sql.exec("UPDATE registry_sums SET gone = gone - 1, pruned_before = max(pruned_before, ?)", epoch);
    }
  };

  return {
    find: (service, id) => select("WHERE service = ? AND id = ?", service, id)[0],
    instancesOf: (service) => select("WHERE service = ? ORDER BY id", service),
    timersDue: (now) => select("WHERE timer_at <= ? ORDER BY timer_at", now),
    probesDue: (now, limit) => select("WHERE probe_at <= ? ORDER BY probe_at LIMIT ?", now, limit),
    nextAt() {
      const times = ["timer_at", "probe_at"]
        .map((at) => number(`SELECT min(${at}) AS n FROM registry_instances WHERE ${at} IS NOT NULL`))
        .filter((at) => at !== undefined);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    counts: sums,
    countOf,
    characters: () => number("SELECT characters AS n FROM registry_size") ?? 0,
    fallCounts: (since) => ({
      well: sums().well,
      fallen: number("SELECT count(*) AS n FROM registry_instances WHERE fell_at >= ?", since) ?? 0,
    }),
    fallenSince: (since) => select("WHERE fell_at >= ?", since),
    servicesAfter: (after, limit) =>
      sql.exec<{ service: string; epoch: number; instances: number }>(
        "SELECT * FROM registry_services WHERE service > ? AND instances > 0 ORDER BY service LIMIT ?",
        after,
        limit,
      ),
    epochOf: (service) =>
      number("SELECT epoch AS n FROM registry_services WHERE service = ? AND instances > 0", service),
    write(change, epoch) {
      writeInstance(change);
      const { before, after } = change;
      if (before?.definition !== after?.definition) addCharacters(before?.definition, after?.definition);
      addToSums("well", wellIn(after) - wellIn(before));
      const service = (after ?? before)?.service;
      if (service === undefined || !isVisible(change)) return;
      if (epoch === undefined)
        throw new Error(`Writing an instance of "${service}": others see it, expected an epoch`);
      writeService(service, (after ? 1 : 0) - (before ? 1 : 0), epoch);
    },
    entries: (sinceEpoch) => entriesSince(sql, sinceEpoch),
    prunedBefore: () => sums().pruned_before,
  };
};

type Sums = {
  services: number;
  instances: number;
  /** Instances that are used. */
  well: number;
  /** Services without instances that are remembered. */
  gone: number;
  pruned_before: number;
};

const only = <Found extends SqlRow>(rows: Found[]): Found => {
  const [row] = rows;
  if (!row) throw new Error("Reading the registry's sums: they are gone; expected their row");
  return row;
};

const entriesSince = (sql: ActorSql, epoch: number): ServiceEntry[] => {
  const services = sql.exec<{ service: string; epoch: number }>(
    "SELECT service, epoch FROM registry_services WHERE epoch > ? ORDER BY service",
    epoch,
  );
  const rows = sql.exec<Row>(
    `SELECT i.* FROM registry_services s JOIN registry_instances i ON i.service = s.service
     WHERE s.epoch > ? ORDER BY i.service, i.id`,
    epoch,
  );
  const instances = Map.groupBy(rows, ({ service }) => service);
  return services.map((entry) => ({
    ...entry,
    instances: (instances.get(entry.service) ?? []).map((row) => instanceOf(storedOf(row))),
  }));
};
