/** A body that goes to the client as it comes, at the client's pace, and is whole in memory afterwards if it is small. */
import type { Fill } from "./fill-room.ts";

export interface KeepAside {
  readonly bytesMax: number;
  readonly fill: Fill;
  /** What `Content-Length` promised; less or more is no whole answer (RFC 9111 section 3.3). Undefined: nothing was. */
  readonly promisedBytes: number | undefined;
  /** Called once, when the last byte is on its way. */
  readonly whole: (body: Uint8Array<ArrayBuffer>) => void;
  /** Called once instead: too large for the bounds, or broken off by either side. What the client gets does not change. */
  readonly lost: (how: "too_large" | "broken") => void;
}

export const bodyKeptAside = (
  body: ReadableStream<Uint8Array>,
  { bytesMax, fill, promisedBytes, whole, lost }: KeepAside,
): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  let chunks: Uint8Array[] | undefined = [];
  let bytes = 0;
  const giveUp = (how: "too_large" | "broken"): void => {
    if (!chunks) return;
    chunks = undefined;
    fill.leave();
    lost(how);
  };
  const keep = (chunk: Uint8Array): void => {
    bytes += chunk.byteLength;
    if (bytes > bytesMax || !fill.take(chunk.byteLength)) giveUp("too_large");
    // A copy: the buffer is the next reader's, who may hand it on.
    else chunks?.push(chunk.slice());
  };
  const finish = (): void => {
    if (promisedBytes !== undefined && promisedBytes !== bytes) giveUp("broken");
    if (!chunks) return;
    const all = joined(chunks, bytes);
    chunks = undefined;
    fill.leave();
    whole(all);
  };
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            finish();
            controller.close();
            return;
          }
          if (chunks) keep(value);
          controller.enqueue(value);
        } catch (error) {
          giveUp("broken");
          controller.error(error);
        }
      },
      cancel(reason) {
        giveUp("broken");
        return reader.cancel(reason);
      },
    },
    // Nothing is read before the client wants it.
    { highWaterMark: 0 },
  );
};

/** Reads it for the store alone, and stops where it will not be stored. */
export const readAside = async (body: ReadableStream<Uint8Array>, aside: KeepAside): Promise<void> => {
  let isLost = false;
  const lost: KeepAside["lost"] = (how) => {
    isLost = true;
    aside.lost(how);
  };
  const reader = bodyKeptAside(body, { ...aside, lost }).getReader();
  try {
    while (!isLost && !(await reader.read()).done);
    if (isLost) await reader.cancel();
  } catch {
    // It broke off, and `lost` was told.
  }
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
