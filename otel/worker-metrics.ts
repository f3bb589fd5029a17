/** Metrics of one isolate: collected and sent when the spans are, because a Worker has no timer of its own. */
import { metrics } from "@opentelemetry/api";
import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  AggregationType,
  type IMetricReader,
  MeterProvider,
  type MetricProducer,
  type ResourceMetrics,
  type ViewOptions,
} from "@opentelemetry/sdk-metrics";
import { LIMITS } from "#shared/limits.ts";
import { type ExporterOptions, type ExportOutcome, postOtlp } from "./post-otlp.ts";

const METRICS_URL = "http://monitor/v1/metrics";

/** From a tenth of what the control plane promises to where a change counts as lost, in seconds. */
const PROPAGATION_SECONDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 30, 60];

const VIEWS: ViewOptions[] = [
  {
    instrumentName: "skerry.control.propagation",
    aggregation: {
      type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
      options: { boundaries: PROPAGATION_SECONDS },
    },
  },
];

export interface WorkerMetrics {
  /** Sends what was recorded since the last call; no request when that is nothing. Never rejects. Counts data points. */
  flush(): Promise<ExportOutcome>;
}

/**
 * Registers the global meter provider. A meter that was taken before does nothing for ever, as OpenTelemetry has it: take
 * meters when something is recorded.
 */
export const workerMetrics = (resource: Resource, options: ExporterOptions): WorkerMetrics => {
  const reader = deltaReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ resource, views: VIEWS, readers: [reader] }));
  return {
    flush: async () => {
      const { resourceMetrics } = await reader.collect();
      const count = dataPointsIn(resourceMetrics);
      if (count === 0) return { sent: 0, dropped: 0 };
      const body = JsonMetricsSerializer.serializeRequest(resourceMetrics) as Uint8Array<ArrayBuffer>;
      const { dropped, reason } = await postOtlp({ url: METRICS_URL, body, count }, options);
      return { sent: count - dropped, dropped, ...(reason && { reason }) };
    },
  };
};

/**
 * Deltas, because a service is many isolates that come and go unnamed: their deltas add up to the service's numbers, their
 * running totals would overwrite each other under the same attributes, and begin anew with each isolate.
 */
const deltaReader = (): IMetricReader => {
  let producer: MetricProducer | undefined;
  return {
    setMetricProducer: (metricProducer) => {
      producer = metricProducer;
    },
    selectAggregation: () => ({ type: AggregationType.DEFAULT }),
    selectAggregationTemporality: () => AggregationTemporality.DELTA,
    selectCardinalityLimit: () => LIMITS.metricSeriesPerIsolate,
    collect: async (collecting) => {
      if (!producer) throw new Error("Collecting metrics: expected a provider that has this reader");
      return producer.collect(collecting);
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
};

const dataPointsIn = ({ scopeMetrics }: ResourceMetrics): number =>
  scopeMetrics.flatMap((scope) => scope.metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
