/** What rides along (W3C trace context, epoch) as a plain record, for whatever is not HTTP: Actor calls, commits, messages. */
import { context, propagation, ROOT_CONTEXT } from "@opentelemetry/api";

/** `traceparent` and, when there is one, `tracestate` of the active context; and the epoch, when the isolate has one. */
export const injectTrace = (): Record<string, string> => {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
};

/** Runs `work` in the trace that the carrier names; outside of any when it names none or is malformed. */
export const withTrace = <T>(carrier: Readonly<Record<string, string>>, work: () => T): T =>
  context.with(propagation.extract(ROOT_CONTEXT, carrier), work);
