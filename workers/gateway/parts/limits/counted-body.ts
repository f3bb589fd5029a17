/** A body that streams on as it is taken, up to a bound. */

/** How a body ended too soon: it was larger than its bound, or the client did not send it to its end. */
export type BodyEnd = "over" | "broken";

/**
 * Nothing is read before it is asked for, and the chunk that goes beyond the bound is not given any more.
 * @param ended told before the stream fails
 */
export const countedBody = (
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
  ended: (how: BodyEnd) => void,
): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  let bytes = 0;
  /** Who takes it wants no more: that ends a read that is under way, and is nobody's fault. */
  let isCancelled = false;
  const over = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const error = new RangeError(`Reading a body: expected at most ${bytesMax} bytes`);
    ended("over");
    reader.cancel(error).catch(() => undefined);
    controller.error(error);
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isCancelled) return;
          if (done) return controller.close();
          bytes += value.byteLength;
          if (bytes > bytesMax) over(controller);
          else controller.enqueue(value);
        } catch (error) {
          if (isCancelled) return;
          ended("broken");
          controller.error(error);
        }
      },
      cancel(reason) {
        isCancelled = true;
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
};
