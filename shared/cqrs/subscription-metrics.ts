/** How long a process takes for an event, and how far it is behind its log, as metrics. */
import { type Attributes, type Histogram, metrics } from "@opentelemetry/api";

export interface SubscriptionMetrics {
  /**
   * One attempt, by the OpenTelemetry semantic conventions for messaging.
   * @param lagMs from the event to the attempt's end; absent for one that failed
   */
  handled(attempt: { tookMs: number; lagMs?: number; error?: string }): void;
  /** @param commits of the log that are not finished */
  behind(commits: number): void;
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/ */
const PROCESS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** From what a live process needs to where it is catching up. */
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

export const subscriptionMetrics = (process: string, source: string): SubscriptionMetrics => {
  const attributes: Attributes = {
    "messaging.system": "nats",
    "messaging.destination.name": `log-${source}`,
    "messaging.consumer.group.name": process,
  };
  const processing: Attributes = {
    ...attributes,
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
  };
  let histograms: { readonly duration: Histogram; readonly lag: Histogram } | undefined;

  /** Made with the first event: those that were made before the SDK started would never record. */
  const made = () => {
    const meter = metrics.getMeter("skerry");
    return {
      duration: meter.createHistogram("messaging.process.duration", {
        unit: "s",
        description: "Duration of processing an event",
        advice: { explicitBucketBoundaries: PROCESS_SECONDS },
      }),
      lag: meter.createHistogram("skerry.subscription.lag", {
        unit: "s",
        description: "From an event to its being handled",
        advice: { explicitBucketBoundaries: LAG_SECONDS },
      }),
    };
  };

  return {
    handled({ tookMs, lagMs, error }) {
      histograms ??= made();
      histograms.duration.record(
        tookMs / 1_000,
        error === undefined ? processing : { ...processing, "error.type": error },
      );
      if (lagMs !== undefined) histograms.lag.record(Math.max(0, lagMs) / 1_000, attributes);
    },
    behind(commits) {
      metrics
        .getMeter("skerry")
        .createGauge("skerry.subscription.behind", {
          unit: "{commit}",
          description: "Commits that a process has not finished",
        })
        .record(Math.max(0, commits), attributes);
    },
  };
};
