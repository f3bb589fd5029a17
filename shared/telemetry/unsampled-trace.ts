/** A trace that nobody records: it only has to stay one trace for all who meet it. */
import { type Context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";

const DIGITS = 16;

let prefix: string | undefined;
let counted = 0;

/**
 * The context of a new one. Its ids are a random beginning of this isolate's and a number that counts, because random ones
 * cost more than all the rest of it and nobody will ever look for them. To be called in a request, for randomness.
 */
export const unsampledTrace = (): Context => {
  prefix ??= crypto.randomUUID().replaceAll("-", "").slice(0, DIGITS);
  counted++;
  const number = counted.toString(16).padStart(DIGITS, "0");
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: prefix + number,
    spanId: number,
    traceFlags: TraceFlags.NONE,
  });
};
