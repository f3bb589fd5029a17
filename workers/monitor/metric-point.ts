/** A metric's numbers as they come and as the monitor keeps them. */
import type { Attributes } from "./stored-span.ts";

/** What tells one series from another. */
export interface MetricSeries {
  readonly service: string;
  readonly metric: string;
  /** As UCUM has it: "s", "By"; empty when there is none. */
  readonly unit: string;
  readonly attributes: Attributes;
}

/** Buckets as OTLP has them: `counts[i]` is what was at most `bounds[i]`, the last count what was above all bounds. */
export interface HistogramValue {
  readonly kind: "histogram";
  readonly count: number;
  readonly sum: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/** What happened since the point before. */
export interface SumValue {
  readonly kind: "sum";
  readonly sum: number;
}

/** What is the case; the last one counts. */
export interface GaugeValue {
  readonly kind: "gauge";
  readonly last: number;
}

export type MetricValue = HistogramValue | SumValue | GaugeValue;

export interface MetricPoint extends MetricSeries {
  readonly value: MetricValue;
}

/** A series with everything that came for it while it was kept. */
export interface StoredSeries extends MetricPoint {
  /** When its last point came, epoch milliseconds. */
  readonly lastSeenMs: number;
}

/** Both of one series: of the same kind, and of the same bounds. */
export const merged = (before: MetricValue, now: MetricValue): MetricValue => {
  if (before.kind === "histogram" && now.kind === "histogram") {
    return {
      ...now,
      count: before.count + now.count,
      sum: before.sum + now.sum,
      min: extreme(Math.min, before.min, now.min),
      max: extreme(Math.max, before.max, now.max),
      counts: now.counts.map((count, index) => count + (before.counts[index] ?? 0)),
    };
  }
  if (before.kind === "sum" && now.kind === "sum") return { kind: "sum", sum: before.sum + now.sum };
  return now;
};

const extreme = (
  choose: (a: number, b: number) => number,
  before: number | null,
  now: number | null,
): number | null => (before === null || now === null ? (before ?? now) : choose(before, now));

/**
 * The value that a share of all was at most, as near as buckets tell it: evenly spread inside of one, between the least and
 * the greatest where those are known. Undefined for nothing.
 * @param share 0.95 for p95
 */
export const quantile = (
  { count, bounds, counts, min, max }: HistogramValue,
  share: number,
): number | undefined => {
  if (count === 0) return undefined;
  const wanted = share * count;
  let below = 0;
  for (const [index, inBucket] of counts.entries()) {
    if (inBucket > 0 && below + inBucket >= wanted) {
      const from = Math.max(bounds[index - 1] ?? min ?? 0, min ?? Number.NEGATIVE_INFINITY);
      const to = Math.min(bounds[index] ?? max ?? from, max ?? Number.POSITIVE_INFINITY);
      return from + ((wanted - below) / inBucket) * (to - from);
    }
    below += inBucket;
  }
  return max ?? bounds.at(-1);
};
