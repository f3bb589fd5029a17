/** Sends spans as OTLP/HTTP JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with bounded retries. */
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Random, Sleep } from "#shared/runtime/clock.ts";

/** Reaches whoever takes spans; see `sendSpansTo`. */
export type SendSpans = (request: Request) => Promise<Response>;

export interface ExporterOptions {
  readonly send: SendSpans;
  readonly sleep: Sleep;
  readonly random: Random;
}

/** How many spans arrived, how many did not, and why the last of those did not. */
export interface ExportOutcome {
  readonly sent: number;
  readonly dropped: number;
  readonly reason?: string;
}

/** The path is the specification's; the host is the one that `send` puts in its place. */
export const TRACES_URL = "http://monitor/v1/traces";

const SPANS_PER_REQUEST = 512;
const ATTEMPTS = 3;
const ATTEMPT_MS = 3_000;
const BACKOFF_MS = 500;
const RETRY_AFTER_MAX_MS = 5_000;
const RETRYABLE = new Set([429, 502, 503, 504]);

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

interface Answer {
  readonly dropped: number;
  readonly reason?: string;
}

interface Retry {
  readonly retryAfterMs: number | undefined;
  readonly reason: string;
}

const exportBatch = async (
  batch: ReadableSpan[],
  { send, sleep, random }: ExporterOptions,
): Promise<Answer & { givenUp: boolean }> => {
  const body = JsonTraceSerializer.serializeRequest(batch) as Uint8Array<ArrayBuffer>;
  let reason = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const result = await attemptOnce(send, body, batch.length);
    if ("dropped" in result) return { ...result, givenUp: false };
    reason = result.reason;
    const waitMs = result.retryAfterMs ?? BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + random());
    if (waitMs > RETRY_AFTER_MAX_MS) break;
    if (attempt < ATTEMPTS) await sleep(waitMs);
  }
  return { dropped: batch.length, reason, givenUp: true };
};

const attemptOnce = async (
  send: SendSpans,
  body: Uint8Array<ArrayBuffer>,
  count: number,
): Promise<Answer | Retry> => {
  try {
    const response = await send(
      new Request(TRACES_URL, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(ATTEMPT_MS),
      }),
    );
    if (response.ok) return partialSuccess(await response.text());
    await response.body?.cancel();
    const reason = `the receiver answered ${response.status}`;
    return RETRYABLE.has(response.status)
      ? { retryAfterMs: retryAfterMs(response.headers.get("retry-after")), reason }
      : { dropped: count, reason };
  } catch (error) {
    return { retryAfterMs: undefined, reason: `the receiver did not answer: ${String(error)}` };
  }
};

/** A receiver may take a part and must not be sent the rest again. */
const partialSuccess = (body: string): Answer => {
  const rejected = /"rejectedSpans"\s*:\s*"?(\d+)/.exec(body)?.[1];
  const dropped = Number(rejected ?? 0);
  return dropped > 0
    ? { dropped, reason: `the receiver refused some: ${body.slice(0, 200)}` }
    : { dropped: 0 };
};

const retryAfterMs = (header: string | null): number | undefined => {
  if (!header) return undefined;
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
};
