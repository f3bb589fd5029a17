/** Adds metrics up in an Actor's SQLite, series by series, bounded in number. */
import { LIMITS } from "#shared/limits.ts";
import type { ActorContext, ActorLogic, ActorSql } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { type MetricPoint, type MetricValue, merged, type StoredSeries } from "./metric-point.ts";
import type { Attributes } from "./stored-span.ts";

/** The store's methods, as others reach them. */
export type MetricStoreMethods = {
  /** Adds points to their series; those that were not seen longest make room for new ones. */
  add(points: readonly MetricPoint[]): Promise<void>;
  /** All of them, by metric, service and attributes. */
  list(input: Record<string, never>): Promise<StoredSeries[]>;
};

export interface MetricStoreOptions extends Pick<ActorContext, "sql"> {
  readonly clock: Clock;
  readonly seriesMax?: number;
}

export const metricStore = ({
  sql,
  clock,
  seriesMax = LIMITS.metricSeriesKept,
}: MetricStoreOptions): ActorLogic<MetricStoreMethods> => {
  sql.exec(SCHEMA);
  return {
    methods: {
      add: async (points) =>
        sql.transaction(() => {
          for (const [key, point] of addedUp(points)) addToSeries(sql, { key, point, nowMs: clock() });
          evictUnseen(sql, seriesMax);
        }),
      list: async () =>
        sql
          .exec<SeriesRow>("SELECT * FROM series ORDER BY metric, service, attributes, series")
          .map(seriesOf),
    },
  };
};

const SCHEMA = `CREATE TABLE IF NOT EXISTS series (
  series TEXT PRIMARY KEY, service TEXT NOT NULL, metric TEXT NOT NULL, unit TEXT NOT NULL, attributes TEXT NOT NULL,
  value TEXT NOT NULL, last_seen_ms INTEGER NOT NULL
)`;

type SeriesRow = {
  series: string;
  service: string;
  metric: string;
  unit: string;
  attributes: string;
  value: string;
  last_seen_ms: number;
};

const sorted = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));

/** A histogram with other bounds cannot be added: it is a series of its own, as when a service is deployed with new ones. */
const keyOf = ({ service, metric, unit, attributes, value }: MetricPoint): string =>
  JSON.stringify([
    service,
    metric,
    unit,
    sorted(attributes),
    value.kind,
    value.kind === "histogram" ? value.bounds : null,
  ]);

/** One point for each series, so that each row is written once. */
const addedUp = (points: readonly MetricPoint[]): Map<string, MetricPoint> => {
  const sums = new Map<string, MetricPoint>();
  for (const point of points) {
    const key = keyOf(point);
    const before = sums.get(key);
    sums.set(key, before ? { ...point, value: merged(before.value, point.value) } : point);
  }
  return sums;
};

const addToSeries = (
  sql: ActorSql,
  { key, point, nowMs }: { key: string; point: MetricPoint; nowMs: number },
): void => {
  const [row] = sql.exec<{ value: string }>("SELECT value FROM series WHERE series = ?", key);
  const value = row ? merged(JSON.parse(row.value) as MetricValue, point.value) : point.value;
  sql.exec(
    `INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (series) DO UPDATE SET value = excluded.value, last_seen_ms = excluded.last_seen_ms`,
    key,
    point.service,
    point.metric,
    point.unit,
    JSON.stringify(sorted(point.attributes)),
    JSON.stringify(value),
    nowMs,
  );
};

const evictUnseen = (sql: ActorSql, seriesMax: number): void => {
  sql.exec(
    `DELETE FROM series WHERE series IN (
       SELECT series FROM series ORDER BY last_seen_ms DESC, rowid DESC LIMIT -1 OFFSET ?
     )`,
    seriesMax,
  );
};

const seriesOf = (row: SeriesRow): StoredSeries => ({
  service: row.service,
  metric: row.metric,
  unit: row.unit,
  attributes: JSON.parse(row.attributes) as Attributes,
  value: JSON.parse(row.value) as MetricValue,
  lastSeenMs: row.last_seen_ms,
});
