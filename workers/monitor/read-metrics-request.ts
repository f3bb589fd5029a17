/** Reads an OTLP ExportMetricsServiceRequest in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). */
import { err, ok, type Result } from "#shared/result.ts";
import type {
  GaugeValue,
  HistogramValue,
  MetricPoint,
  MetricSeries,
  MetricValue,
  SumValue,
} from "./metric-point.ts";
import { asList, asText, isRecord, readAttributes } from "./read-attributes.ts";

export interface MetricsRequest {
  readonly points: readonly MetricPoint[];
  /** Points that cannot be added up: told to the sender, who must not send them again. */
  readonly rejected: number;
}

const NAME_LENGTH_MAX = 255;
const UNIT_LENGTH_MAX = 63;
const SERVICE_LENGTH_MAX = 100;
const BOUNDS_MAX = 256;
/** Attributes name a series; longer ones are no names. */
const ATTRIBUTES_LENGTH_MAX = 4_096;

/** Unknown fields are ignored, missing ones have proto3's defaults; refuses what is no export request at all. */
export const readMetricsRequest = (body: unknown): Result<MetricsRequest, string> => {
  if (!isRecord(body)) return err("Reading the export request: expected a JSON object.");
  const { resourceMetrics = [] } = body;
  if (resourceMetrics !== null && !Array.isArray(resourceMetrics))
    return err('Reading the export request: expected "resourceMetrics" to be an array.');
  const read = asList(resourceMetrics).flatMap(readResourceMetrics);
  const points = read.filter((point) => point !== undefined);
  return ok({ points, rejected: read.length - points.length });
};

type ReadPoint = MetricPoint | undefined;

const readResourceMetrics = (resourceMetrics: unknown): ReadPoint[] => {
  if (!isRecord(resourceMetrics)) return [undefined];
  const { resource } = resourceMetrics;
  const attributes = isRecord(resource) ? readAttributes(resource.attributes) : {};
  const service = asText(attributes["service.name"], SERVICE_LENGTH_MAX) || "unknown_service";
  return asList(resourceMetrics.scopeMetrics).flatMap((scopeMetrics) =>
    asList(isRecord(scopeMetrics) ? scopeMetrics.metrics : undefined).flatMap((metric) =>
      readMetric(metric, service),
    ),
  );
};

const readMetric = (metric: unknown, service: string): ReadPoint[] => {
  if (!isRecord(metric)) return [undefined];
  const name = asText(metric.name, NAME_LENGTH_MAX);
  const data = dataOf(metric);
  const points = asList(data?.points);
  if (name === "" || !data?.read) return points.map(() => undefined);
  const { read } = data;
  return points.map((point) =>
    readPoint(point, { service, metric: name, unit: asText(metric.unit, UNIT_LENGTH_MAX) }, read),
  );
};

type ReadValue = (point: Record<string, unknown>) => MetricValue | undefined;

/** Without `read` the points are of a kind that is not kept: running totals, exponential histograms, summaries. */
const dataOf = (metric: Record<string, unknown>): { points: unknown; read?: ReadValue } | undefined => {
  const { histogram, sum, gauge, exponentialHistogram, summary } = metric;
  if (isRecord(histogram))
    return { points: histogram.dataPoints, ...(isDelta(histogram) && { read: readHistogram }) };
  if (isRecord(sum)) return { points: sum.dataPoints, ...(isDelta(sum) && { read: readSum }) };
  if (isRecord(gauge)) return { points: gauge.dataPoints, read: readGauge };
  const other = [exponentialHistogram, summary].find(isRecord);
  return other && { points: other.dataPoints };
};

/** Running totals of several isolates under the same attributes cannot be told apart. */
const isDelta = ({ aggregationTemporality }: Record<string, unknown>): boolean =>
  aggregationTemporality === 1 || aggregationTemporality === "AGGREGATION_TEMPORALITY_DELTA";

const readPoint = (point: unknown, series: Omit<MetricSeries, "attributes">, read: ReadValue): ReadPoint => {
  if (!isRecord(point)) return undefined;
  const attributes = readAttributes(point.attributes);
  const value = read(point);
  if (!value || JSON.stringify(attributes).length > ATTRIBUTES_LENGTH_MAX) return undefined;
  return { ...series, attributes, value };
};

const readSum: ReadValue = (point): SumValue | undefined => {
  const sum = readNumber(point);
  return sum === undefined ? undefined : { kind: "sum", sum };
};

const readGauge: ReadValue = (point): GaugeValue | undefined => {
  const last = readNumber(point);
  return last === undefined ? undefined : { kind: "gauge", last };
};

const readHistogram: ReadValue = (point): HistogramValue | undefined => {
  const bounds = asList(point.explicitBounds).map(finite);
  const count = wholeNumber(point.count);
  const counts = bounds.length > 0 ? asList(point.bucketCounts).map(wholeNumber) : [count];
  if (
    count === undefined ||
    bounds.length > BOUNDS_MAX ||
    !isAscending(bounds) ||
    counts.length !== bounds.length + 1
  )
    return undefined;
  if (!allKnown(counts) || counts.reduce((total, inBucket) => total + inBucket, 0) !== count)
    return undefined;
  return {
    kind: "histogram",
    count,
    sum: finite(point.sum) ?? 0,
    min: finite(point.min) ?? null,
    max: finite(point.max) ?? null,
    bounds,
    counts,
  };
};

const allKnown = (numbers: readonly (number | undefined)[]): numbers is number[] =>
  numbers.every((number) => number !== undefined);

const isAscending = (bounds: readonly (number | undefined)[]): bounds is number[] =>
  allKnown(bounds) && bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound));

const readNumber = ({ asInt, asDouble }: Record<string, unknown>): number | undefined =>
  asDouble === undefined || asDouble === null ? finite64(asInt) : finite(asDouble);

const finite = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** 64-bit integers travel as text; some senders write numbers. */
const finite64 = (value: unknown): number | undefined =>
  finite(typeof value === "string" && /^-?\d{1,20}$/.test(value) ? Number(value) : value);

const wholeNumber = (value: unknown): number | undefined => {
  const number = finite64(value);
  return number !== undefined && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};
