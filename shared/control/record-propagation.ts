/** The histogram of the time from a change in the control plane to an isolate that knows of it. */
import { metrics } from "@opentelemetry/api";

/** Negative times are the clocks' disagreement and count as none. */
export const recordPropagation = (ms: number): void => {
  // Made anew each time, which is seldom: one that was made before the SDK started would never record.
  metrics
    .getMeter("skerry")
    .createHistogram("skerry.control.propagation", {
      unit: "s",
      description: "From the publishing of a change to an isolate that knows of it",
    })
    .record(Math.max(0, ms) / 1_000);
};
