/** Sends spans as OTLP/HTTP JSON, in requests of a bounded size. */
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { type ExporterOptions, type ExportOutcome, postOtlp } from "./post-otlp.ts";

const TRACES_URL = "http://monitor/v1/traces";

const SPANS_PER_REQUEST = 512;

/**
 * Returns a function that sends spans and never rejects. When a batch is given up, so are those behind it: the
 * receiver is away, and the request that carries the export must not live longer than the platform allows.
 */
export const otlpExporter =
  (options: ExporterOptions) =>
  async (spans: readonly ReadableSpan[]): Promise<ExportOutcome> => {
    let dropped = 0;
    let reason: string | undefined;
    for (let start = 0; start < spans.length; start += SPANS_PER_REQUEST) {
      const result = await exportBatch(spans.slice(start, start + SPANS_PER_REQUEST), options);
      reason = result.reason ?? reason;
      dropped += result.givenUp ? spans.length - start : result.dropped;
      if (result.givenUp) break;
    }
    return { sent: spans.length - dropped, dropped, ...(reason && { reason }) };
  };

const exportBatch = (batch: ReadableSpan[], options: ExporterOptions) => {
  const body = JsonTraceSerializer.serializeRequest(batch) as Uint8Array<ArrayBuffer>;
  return postOtlp({ url: TRACES_URL, body, count: batch.length }, options);
};
