/** A client's body that streams on, and tells how it stands with it: who is waited for, and whether it broke off. */

/**
 * `awaited`: whoever takes it wants more than the client has sent. `broken`: the client did not send it to its end. `over`: it is
 * larger than may be, and nobody is asked.
 */
export type BodyStand = "well" | "awaited" | "broken" | "over";

export interface WatchedBody {
  readonly body: ReadableStream<Uint8Array>;
  readonly stand: () => BodyStand;
}

/** Each read costs as much as 64 KiB of copying do; the runtime's own readers give some 4 KiB at once. */
const READ_BYTES = 64 * 1024;

/**
 * Nothing is read before it is asked for.
 * @param length as the client declares it, so that the service is told it, too; undefined when unknown
 */
export const watchedBody = (source: ReadableStream<Uint8Array>, length: number | undefined): WatchedBody => {
  const reader = readerOf(source, length);
  let stand: BodyStand = "well";
  let bytes = 0;
  /** Who takes it wants no more: that ends a read that is under way, and changes nothing of whom it waited for. */
  let isCancelled = false;
  const watched: UnderlyingSource<Uint8Array> = {
    // What the Workers runtime makes `Content-Length` of, for a stream.
    ...(length !== undefined && { expectedLength: length }),
    async pull(controller) {
      stand = "awaited";
      try {
        const { done, value } = await reader.read(length === undefined ? READ_BYTES : length - bytes);
        if (isCancelled) return;
        stand = "well";
        if (done) return controller.close();
        bytes += value.byteLength;
        controller.enqueue(value);
        if (bytes === length) controller.close();
      } catch (error) {
        if (isCancelled) return;
        stand = "broken";
        controller.error(error);
      }
    },
    cancel(reason) {
      isCancelled = true;
      return reader.cancel(reason);
    },
  };
  return { body: new ReadableStream(watched, { highWaterMark: 0 }), stand: () => stand };
};

interface Reader {
  readonly read: (bytesMax: number) => Promise<ReadableStreamReadResult<Uint8Array>>;
  readonly cancel: (reason: unknown) => Promise<void>;
}

/** Bodies of a declared length come from the runtime, which fills a whole buffer; others may be a part's own stream. */
const readerOf = (source: ReadableStream<Uint8Array>, length: number | undefined): Reader => {
  const byob = length === undefined || length === 0 ? undefined : byobReaderOf(source);
  if (byob) {
    return {
      read: (bytesMax) => byob.read(new Uint8Array(Math.min(READ_BYTES, bytesMax))),
      cancel: (reason) => byob.cancel(reason),
    };
  }
  const reader = source.getReader();
  return { read: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
};

/** Undefined for a stream that gives what it has in pieces of its own. */
const byobReaderOf = (source: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined => {
  try {
    return source.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
};
