/** Posts one OTLP/HTTP JSON request (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with bounded retries. */
import type { Random, Sleep } from "#shared/runtime/clock.ts";

/** Reaches whoever takes telemetry; see `sendSpansTo`. */
export type SendSpans = (request: Request) => Promise<Response>;

export interface ExporterOptions {
  readonly send: SendSpans;
  readonly sleep: Sleep;
  readonly random: Random;
}

/** How much arrived, how much did not, and why the last of that did not. */
export interface ExportOutcome {
  readonly sent: number;
  readonly dropped: number;
  readonly reason?: string;
}

export interface OtlpRequest {
  /** The path is the specification's; the host is the one that `send` puts in its place. */
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** How many spans or data points the body holds. */
  readonly count: number;
}

export interface PostOutcome {
  readonly dropped: number;
  readonly reason?: string;
  /** The receiver is away: what waits behind this request need not be tried. */
  readonly givenUp: boolean;
}

const ATTEMPTS = 3;
const ATTEMPT_MS = 3_000;
const BACKOFF_MS = 500;
const RETRY_AFTER_MAX_MS = 5_000;
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Never rejects, and lives no longer than the request that carries the export may. */
export const postOtlp = async (
  request: OtlpRequest,
  { send, sleep, random }: ExporterOptions,
): Promise<PostOutcome> => {
  let reason = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const result = await attemptOnce(send, request);
    if ("dropped" in result) return { ...result, givenUp: false };
    reason = result.reason;
    const waitMs = result.retryAfterMs ?? BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + random());
    if (waitMs > RETRY_AFTER_MAX_MS) break;
    if (attempt < ATTEMPTS) await sleep(waitMs);
  }
  return { dropped: request.count, reason, givenUp: true };
};

interface Answer {
  readonly dropped: number;
  readonly reason?: string;
}

interface Retry {
  readonly retryAfterMs: number | undefined;
  readonly reason: string;
}

const attemptOnce = async (send: SendSpans, { url, body, count }: OtlpRequest): Promise<Answer | Retry> => {
  try {
    const response = await send(
      new Request(url, {
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
  const rejected = /"rejected(?:Spans|DataPoints)"\s*:\s*"?(\d+)/.exec(body)?.[1];
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
