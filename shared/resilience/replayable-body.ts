/** A request's body that can be sent again when it is small, and streams on as it came when it is not. */

export interface ReplayableBody {
  /** Whether `open` may be called more than once. */
  readonly replayable: boolean;
  /** It did not come to its end, or not in time: whoever is given it gets an error. */
  readonly broken: boolean;
  /**
   * The body of one attempt, to be spread into a `RequestInit`. Leave `Content-Length` to the platform: it knows what
   * is sent, and the caller's may have been wrong.
   */
  open(): BodyOfAttempt;
}

/** `duplex` is what Node wants to be told with a stream (Fetch standard, `RequestInit`). */
export type BodyOfAttempt =
  | { body: Uint8Array<ArrayBuffer> | null }
  | { body: ReadableStream<Uint8Array>; duplex: "half" };

/**
 * Reads up to `bytesMax`, and holds that and the one chunk that went beyond at most. A body that is larger, that is
 * said to be, or that broke off is not replayable and is given once: what was read of it stands before the rest.
 * `signal` ends the wait for a slow body, which then breaks off with the signal's reason.
 */
export const replayableBody = async (
  request: Pick<Request, "body" | "headers">,
  { bytesMax, signal }: { bytesMax: number; signal: AbortSignal },
): Promise<ReplayableBody> => {
  const source: ReadableStream<Uint8Array> | null = request.body;
  if (!source) return { replayable: true, broken: false, open: () => ({ body: null }) };
  if (Number(request.headers.get("content-length")) > bytesMax) return streamed(source);

  const reader = source.getReader();
  const start = await readStart(reader, bytesMax, signal);
  if (start.end === "complete") {
    const bytes = joined(start.chunks, start.bytes);
    return { replayable: true, broken: false, open: () => ({ body: bytes }) };
  }
  return streamed(continued(start, reader), start.end === "broken");
};

const streamed = (body: ReadableStream<Uint8Array>, broken = false): ReplayableBody => ({
  replayable: false,
  broken,
  open: () => ({ body, duplex: "half" }),
});

type Start = { chunks: Uint8Array[]; bytes: number } & (
  | { end: "complete" | "more" }
  | { end: "broken"; error: unknown }
);

/** Reads until the body ends, exceeds the bound or breaks off. */
const readStart = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Start> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // A read that is cancelled looks like the body's end; whether it was one, the signal tells.
  const stop = () => void reader.cancel(signal.reason).catch(() => undefined);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return { chunks, bytes, end: "broken", error: signal.reason };
      if (done) return { chunks, bytes, end: "complete" };
      chunks.push(value);
      bytes += value.byteLength;
      if (bytes > bytesMax) return { chunks, bytes, end: "more" };
    }
  } catch (error) {
    return { chunks, bytes, end: "broken", error };
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

/** What was read, then the rest as fast as it is taken. */
const continued = (
  start: Start,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> => {
  const { chunks } = start;
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift();
      if (chunk) return controller.enqueue(chunk);
      if (start.end === "broken") return controller.error(start.error);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
};

const joined = (chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
};
