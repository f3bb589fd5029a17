/** The W3C trace context as a plain record, for whatever is not HTTP: Actor calls, commits, messages. */
import { context, type Link, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";

/** `traceparent` and, when there is one, `tracestate` of the active context; empty when there is none. */
export const injectTrace = (): Record<string, string> => {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
};

/** Runs `work` in the trace that the carrier names; outside of any when it names none or is malformed. */
export const withTrace = <T>(carrier: Readonly<Record<string, string>>, work: () => T): T =>
  context.with(propagation.extract(ROOT_CONTEXT, carrier), work);

/** Links to the trace that the carrier names, for a span that has another parent: none or one. */
export const linksTo = (carrier: Readonly<Record<string, string>>): Link[] => {
  const spanContext = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier));
  return spanContext ? [{ context: spanContext }] : [];
};
