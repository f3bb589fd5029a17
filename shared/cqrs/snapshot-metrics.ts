/** Where folded states come from, as a metric. */
import { metrics } from "@opentelemetry/api";

/** Memory; the Actor's own snapshot; one from the NATS server; the whole history. */
export type FoldSource = "memory" | "snapshot" | "log_snapshot" | "history";

/** Commands served from memory are counted by so many: most are, and a counter takes more time than the look itself. */
const HITS_TOGETHER = 100;

/** Both give back what they are given. */
export const countLoads = () => {
  let hits = 0;

  const count = (from: FoldSource, by: number): void => {
    // Made anew each time: one that was made before the SDK started would never record.
    metrics
      .getMeter("skerry")
      .createCounter("skerry.aggregate.loads", {
        unit: "{load}",
        description: "Folded states by where they came from",
      })
      .add(by, { "skerry.aggregate.from": from });
  };
  const countHits = () => {
    if (hits > 0) count("memory", hits);
    hits = 0;
  };

  return {
    hit<T>(folded: T): T {
      if (++hits >= HITS_TOGETHER) countHits();
      return folded;
    },
    loaded<T>(from: Exclude<FoldSource, "memory">, folded: T): T {
      count(from, 1);
      countHits();
      return folded;
    },
  };
};
