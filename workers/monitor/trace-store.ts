/** Keeps the last traces in an Actor's SQLite: whole traces, bounded in number and in spans. */
import { LIMITS } from "#shared/limits.ts";
import type { ActorContext, ActorLogic, ActorSql } from "#shared/runtime/actor.ts";
import type { SpanDetail, SpanKindName, SpanStatusName, StoredSpan } from "./stored-span.ts";
import { listTraces, type TraceFilter, type TracePage } from "./trace-list.ts";

/** The store's methods, as others reach them. */
export type TraceStoreMethods = {
  /** Adds spans; those that stand already stay as they are. `refused` belong to traces that are full. */
  add(spans: readonly StoredSpan[]): Promise<{ refused: number }>;
  list(filter: TraceFilter): Promise<TracePage>;
  /** A trace's spans by start; none for a trace that is not here. `services` as in {@link TracePage}. */
  read(traceId: string): Promise<{ spans: StoredSpan[]; services: string[] }>;
};

export interface TraceStoreBounds {
  readonly traces: number;
  readonly spans: number;
  readonly spansPerTrace: number;
}

const BOUNDS: TraceStoreBounds = {
  traces: LIMITS.tracesKept,
  spans: LIMITS.spansKept,
  spansPerTrace: LIMITS.spansPerTrace,
};

export const traceStore = (
  { sql }: Pick<ActorContext, "sql">,
  bounds: TraceStoreBounds = BOUNDS,
): ActorLogic<TraceStoreMethods> => {
  for (const statement of SCHEMA) sql.exec(statement);
  return {
    methods: {
      add: async (spans) =>
        sql.transaction(() => {
          const accepted = withinTraceBound(sql, spans, bounds.spansPerTrace);
          insertSpans(sql, accepted);
          summarise(sql, [...new Set(accepted.map(({ traceId }) => traceId))]);
          evictOldest(sql, bounds);
          return { refused: spans.length - accepted.length };
        }),
      list: async (filter) => listTraces(sql, filter),
      read: async (traceId) => ({
        spans: sql
          .exec<SpanRow>("SELECT * FROM spans WHERE trace_id = ? ORDER BY start_us, span_id", traceId)
          .map(spanOf),
        services: sql
          .exec<{ name: string }>("SELECT name FROM services ORDER BY ordinal")
          .map(({ name }) => name),
      }),
    },
  };
};

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS spans (
     trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_span_id TEXT, service TEXT NOT NULL, name TEXT NOT NULL,
     kind TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, status TEXT NOT NULL, detail TEXT NOT NULL,
     PRIMARY KEY (trace_id, span_id)
   )`,
  `CREATE TABLE IF NOT EXISTS traces (
     arrival INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL UNIQUE, start_us INTEGER NOT NULL,
     end_us INTEGER NOT NULL, root_name TEXT NOT NULL, root_service TEXT NOT NULL, services TEXT NOT NULL,
     span_count INTEGER NOT NULL, error_count INTEGER NOT NULL
   )`,
  "CREATE INDEX IF NOT EXISTS traces_by_start ON traces (start_us DESC, trace_id DESC)",
  "CREATE TABLE IF NOT EXISTS services (ordinal INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)",
];

/** Senders choose service names, so their number is bounded as well; later ones go without a colour. */
const SERVICES_MAX = 256;

/** A parameter of Durable Object SQLite holds 2 MB, and a span up to 32 KiB of detail. */
const SPANS_PER_STATEMENT = 32;

type SpanRow = {
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  service: string;
  name: string;
  kind: string;
  start_us: number;
  end_us: number;
  status: string;
  detail: string;
};

const rowOf = (span: StoredSpan): SpanRow => ({
  trace_id: span.traceId,
  span_id: span.spanId,
  parent_span_id: span.parentSpanId,
  service: span.service,
  name: span.name,
  kind: span.kind,
  start_us: span.startUs,
  end_us: span.endUs,
  status: span.status,
  detail: JSON.stringify(span.detail),
});

const spanOf = (row: SpanRow): StoredSpan => ({
  traceId: row.trace_id,
  spanId: row.span_id,
  parentSpanId: row.parent_span_id,
  service: row.service,
  name: row.name,
  kind: row.kind as SpanKindName,
  startUs: row.start_us,
  endUs: row.end_us,
  status: row.status as SpanStatusName,
  detail: JSON.parse(row.detail) as SpanDetail,
});

const withinTraceBound = (sql: ActorSql, spans: readonly StoredSpan[], spansMax: number): StoredSpan[] => {
  const ids = JSON.stringify([...new Set(spans.map(({ traceId }) => traceId))]);
  const counts = new Map(
    sql
      .exec<{ trace_id: string; span_count: number }>(
        "SELECT trace_id, span_count FROM traces WHERE trace_id IN (SELECT value FROM json_each(?))",
        ids,
      )
      .map((row) => [row.trace_id, row.span_count]),
  );
  return spans.filter(({ traceId }) => {
    const count = counts.get(traceId) ?? 0;
    if (count < spansMax) counts.set(traceId, count + 1);
    return count < spansMax;
  });
};

const insertSpans = (sql: ActorSql, spans: readonly StoredSpan[]): void => {
  for (let start = 0; start < spans.length; start += SPANS_PER_STATEMENT) {
    const rows = JSON.stringify(spans.slice(start, start + SPANS_PER_STATEMENT).map(rowOf));
    sql.exec(
      `INSERT OR IGNORE INTO spans
       SELECT value ->> 'trace_id', value ->> 'span_id', value ->> 'parent_span_id', value ->> 'service',
         value ->> 'name', value ->> 'kind', value ->> 'start_us', value ->> 'end_us', value ->> 'status',
         value ->> 'detail'
       FROM json_each(?)`,
      rows,
    );
    sql.exec(
      `INSERT OR IGNORE INTO services (name)
       SELECT DISTINCT value ->> 'service' FROM json_each(?) WHERE (SELECT count(*) FROM services) < ?`,
      rows,
      SERVICES_MAX,
    );
  }
};

/** Made anew from the spans each time, so that it is right whatever came late, twice or out of order. */
const summarise = (sql: ActorSql, traceIds: readonly string[]): void => {
  sql.exec(
    `INSERT INTO traces (trace_id, start_us, end_us, root_name, root_service, services, span_count, error_count)
     SELECT s.trace_id, min(s.start_us), max(s.end_us), ${ofRoot("name")}, ${ofRoot("service")},
       (SELECT json_group_array(service) FROM
         (SELECT service FROM spans r WHERE r.trace_id = s.trace_id GROUP BY service ORDER BY min(start_us), service)),
       count(*), sum(s.status = 'error')
     FROM spans s WHERE s.trace_id IN (SELECT value FROM json_each(?)) GROUP BY s.trace_id ORDER BY min(s.start_us)
     ON CONFLICT (trace_id) DO UPDATE SET start_us = excluded.start_us, end_us = excluded.end_us,
       root_name = excluded.root_name, root_service = excluded.root_service, services = excluded.services,
       span_count = excluded.span_count, error_count = excluded.error_count`,
    JSON.stringify(traceIds),
  );
};

/**
 * The span without a parent; while it has not come, or when the client began the trace, the earliest one whose parent is
 * not here: an isolate's clock stands still while it computes, so a child may begin at the same instant.
 */
const ofRoot = (column: "name" | "service"): string =>
  `(SELECT r.${column} FROM spans r WHERE r.trace_id = s.trace_id
    ORDER BY r.parent_span_id IS NOT NULL,
      EXISTS (SELECT 1 FROM spans p WHERE p.trace_id = r.trace_id AND p.span_id = r.parent_span_id),
      r.start_us, r.span_id LIMIT 1)`;

/** The newest trace always stays. */
const evictOldest = (sql: ActorSql, bounds: TraceStoreBounds): void => {
  const evicted = sql.exec<{ trace_id: string }>(
    `DELETE FROM traces WHERE arrival IN (
       SELECT arrival FROM (
         SELECT arrival, row_number() OVER newest AS place, sum(span_count) OVER newest AS spans_so_far
         FROM traces WINDOW newest AS (ORDER BY arrival DESC)
       ) WHERE place > 1 AND (place > ? OR spans_so_far > ?)
     ) RETURNING trace_id`,
    bounds.traces,
    bounds.spans,
  );
  if (evicted.length === 0) return;
  sql.exec(
    "DELETE FROM spans WHERE trace_id IN (SELECT value FROM json_each(?))",
    JSON.stringify(evicted.map((row) => row.trace_id)),
  );
};
