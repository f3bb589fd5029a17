/** A request's body that goes to its service at the service's pace, and is kept on the way if it is small. */

export interface CopiedBody {
  /** In the place of the request's own. */
  readonly body: ReadableStream<Uint8Array>;
  /** The whole body once the service has read it; undefined when it is larger, broke off, or was not read to its end. */
  readonly copy: Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Nothing is read that the service does not ask for: a tee would hold what one reader is behind of the other. */
export const copiedBody = (source: ReadableStream<Uint8Array>, bytesMax: number): CopiedBody => {
  const reader = source.getReader();
  let chunks: Uint8Array[] | undefined = [];
  let bytes = 0;
  const { promise: copy, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer> | undefined>();
  const giveUp = (): void => {
    chunks = undefined;
    resolve(undefined);
  };
  const keep = (chunk: Uint8Array): void => {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) giveUp();
    // A copy: the buffer is the next reader's, who may hand it on.
    else chunks?.push(chunk.slice());
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            resolve(chunks && joined(chunks, bytes));
            return controller.close();
          }
          if (chunks) keep(value);
          controller.enqueue(value);
        } catch (error) {
          giveUp();
          controller.error(error);
        }
      },
      cancel(reason) {
        giveUp();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, copy };
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
