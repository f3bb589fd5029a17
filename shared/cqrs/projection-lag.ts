/** How far read models are behind their logs, as metrics. */
import { metrics } from "@opentelemetry/api";

/** @param ms from the oldest commit of a transaction to its rows; negative times are the clocks' disagreement */
export const recordLag = (projection: string, ms: number): void => {
  // Made anew each time: one that was made before the SDK started would never record.
  metrics
    .getMeter("skerry")
    .createHistogram("skerry.projection.lag", {
      unit: "s",
      description: "From a commit to its rows in the read model",
      advice: { explicitBucketBoundaries: LAG_SECONDS },
    })
    .record(Math.max(0, ms) / 1_000, { "skerry.projection": projection });
};

/** @param commits of the log that the read model lacks */
export const recordBehind = (projection: string, commits: number): void => {
  metrics
    .getMeter("skerry")
    .createGauge("skerry.projection.behind", {
      unit: "{commit}",
      description: "Commits that a read model lacks",
    })
    .record(Math.max(0, commits), { "skerry.projection": projection });
};

/** From a tenth of what a live projection promises to where it is catching up. */
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];
