/** Configurations that isolates could not take: the newest of each service and profile. */
import type { Look, RejectedConfig } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import { type Clock, rfc3339 } from "#shared/runtime/clock.ts";
import type { DocumentName } from "../part.ts";

export interface Rejection extends DocumentName, RejectedConfig {
  readonly isolate: string;
  /** RFC 3339 UTC: when it was last reported. */
  readonly reportedAt: string;
}

export interface Rejections {
  report(look: Look): void;
  /** Those of configurations that are still the newest. */
  all(epochOf: (name: DocumentName) => number): readonly Rejection[];
}

/** In memory alone: isolates report again with each look. */
export const rejections = ({ clock }: { clock: Clock }): Rejections => {
  const newest = new Map<string, Rejection>();
  return {
    report({ service, profile, isolate, rejected }) {
      const key = `${service}/${profile}`;
      if (!rejected || rejected.epoch < (newest.get(key)?.epoch ?? 0)) return;
      newest.delete(key);
      newest.set(key, { service, profile, isolate, ...rejected, reportedAt: rfc3339(clock()) });
      const [oldest] = newest.keys();
      if (newest.size > LIMITS.rejectedConfigsKept && oldest !== undefined) newest.delete(oldest);
    },
    all: (epochOf) => [...newest.values()].filter((rejection) => rejection.epoch >= epochOf(rejection)),
  };
};
