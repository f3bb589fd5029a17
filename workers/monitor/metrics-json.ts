/** The monitor's metrics as JSON: times are RFC 3339, values in the metric's own unit. */
import { rfc3339 } from "#shared/runtime/clock.ts";
import { type HistogramValue, quantile, type StoredSeries } from "./metric-point.ts";

export const metricsJson = (series: readonly StoredSeries[]) => ({ items: series.map(seriesJson) });

const seriesJson = ({ service, metric, unit, attributes, value, lastSeenMs }: StoredSeries) => ({
  service,
  metric,
  unit,
  attributes,
  ...(value.kind === "histogram" ? histogramJson(value) : value),
  lastSeen: rfc3339(lastSeenMs),
});

/** `le` as Prometheus has it, null for the bucket above all bounds; counts are each bucket's own. */
const histogramJson = (value: HistogramValue) => ({
  kind: value.kind,
  count: value.count,
  sum: value.sum,
  min: value.min,
  max: value.max,
  p50: quantile(value, 0.5),
  p95: quantile(value, 0.95),
  p99: quantile(value, 0.99),
  buckets: value.counts.map((count, index) => ({ le: value.bounds[index] ?? null, count })),
});
