/** Says where the operator looks that a configuration was not taken: in the trace at hand and in the worker's log. */
import { trace } from "@opentelemetry/api";
import type { ConfigPart } from "../control/changes.ts";
import type { ConfigFault } from "./read-part.ts";

/** Paths and messages only: values may be secret. */
export const reportRejected = (
  { service, profile, epoch }: ConfigPart,
  faults: readonly ConfigFault[],
): void => {
  const places = faults.map(({ path, message }) => `"${path}": ${message}`).join("; ");
  trace.getActiveSpan()?.addEvent("skerry.config.rejected", {
    "skerry.config.profile": profile,
    "skerry.config.epoch": epoch,
    "skerry.config.faults": places,
  });
  console.warn(
    `Taking the configuration of "${service}" in "${profile}" of epoch ${epoch}: ${places}; what was in force stays`,
  );
};
