/** The list of kept traces: filtered, newest first, page by page. */
import type { ActorSql, SqlValue } from "#shared/runtime/actor.ts";

/** What the list says about one trace; times are microseconds since the Unix epoch. */
export interface TraceSummary {
  readonly traceId: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly rootName: string;
  readonly rootService: string;
  /** In the order in which the trace reached them. */
  readonly services: readonly string[];
  readonly spanCount: number;
  readonly errorCount: number;
}

/** A place in the list: the last trace of a page. */
export interface ListPlace {
  readonly startUs: number;
  readonly traceId: string;
}

export interface TraceFilter {
  readonly limit: number;
  readonly after?: ListPlace | undefined;
  readonly service?: string | undefined;
  readonly errorsOnly?: boolean | undefined;
  /** What a trace's id begins with, or a span's name or attributes contain; the case of A to Z does not matter. */
  readonly text?: string | undefined;
}

export interface TracePage {
  readonly traces: readonly TraceSummary[];
  /** Where the next page begins; null on the last one. */
  readonly next: ListPlace | null;
  /** Every service seen so far, in the order of appearance: its place gives it its colour. */
  readonly services: readonly string[];
  /** Traces kept, whatever the filter. */
  readonly traceCount: number;
  readonly spanCount: number;
}

type TraceRow = {
  trace_id: string;
  start_us: number;
  end_us: number;
  root_name: string;
  root_service: string;
  services: string;
  span_count: number;
  error_count: number;
};

type Condition = readonly [clause: string, ...params: SqlValue[]];

export const listTraces = (sql: ActorSql, filter: TraceFilter): TracePage => {
  const conditions = conditionsOf(filter);
  const rows = sql.exec<TraceRow>(
    `SELECT trace_id, start_us, end_us, root_name, root_service, services, span_count, error_count FROM traces t
     WHERE ${["true", ...conditions.map(([clause]) => clause)].join(" AND ")}
     ORDER BY start_us DESC, trace_id DESC LIMIT ?`,
    ...conditions.flatMap(([, ...params]) => params),
    filter.limit + 1,
  );
  const traces = rows.slice(0, filter.limit).map(summaryOf);
  const last = traces.at(-1);
  const [kept] = sql.exec<{ traces: number; spans: number }>(
    "SELECT count(*) AS traces, coalesce(sum(span_count), 0) AS spans FROM traces",
  );
  return {
    traces,
    next: rows.length > filter.limit && last ? { startUs: last.startUs, traceId: last.traceId } : null,
    services: sql
      .exec<{ name: string }>("SELECT name FROM services ORDER BY ordinal")
      .map(({ name }) => name),
    traceCount: kept?.traces ?? 0,
    spanCount: kept?.spans ?? 0,
  };
};

const conditionsOf = ({ after, service, errorsOnly, text }: TraceFilter): Condition[] => {
  const conditions: Condition[] = [];
  if (after) conditions.push(["(start_us, trace_id) < (?, ?)", after.startUs, after.traceId]);
  if (service) conditions.push(["EXISTS (SELECT 1 FROM json_each(t.services) WHERE value = ?)", service]);
  if (errorsOnly) conditions.push(["error_count > 0"]);
  if (text) conditions.push(textCondition(text));
  return conditions;
};

/** `instr` and not LIKE: Durable Object SQLite takes LIKE patterns of 50 bytes at most. */
const textCondition = (text: string): Condition => {
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const asInJson = JSON.stringify(lower).slice(1, -1);
  return [
    `(instr(t.trace_id, ?) = 1 OR EXISTS (SELECT 1 FROM spans s WHERE s.trace_id = t.trace_id
       AND (instr(lower(s.name), ?) > 0 OR instr(lower(s.detail), ?) > 0)))`,
    lower,
    lower,
    asInJson,
  ];
};

const summaryOf = (row: TraceRow): TraceSummary => ({
  traceId: row.trace_id,
  startUs: row.start_us,
  endUs: row.end_us,
  rootName: row.root_name,
  rootService: row.root_service,
  services: JSON.parse(row.services) as string[],
  spanCount: row.span_count,
  errorCount: row.error_count,
});
