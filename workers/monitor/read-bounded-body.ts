/** Reads a request's body up to a bound, unpacking gzip on the way: the bound holds for what comes out. */
import { err, ok, type Result } from "#shared/result.ts";

export interface BodyRefusal {
  readonly status: 400 | 413 | 415;
  readonly message: string;
}

/** The body as text. Refuses other encodings than gzip, broken gzip, text that is not UTF-8, and more than `bytesMax`. */
export const readBoundedBody = async (
  request: Request,
  bytesMax: number,
): Promise<Result<string, BodyRefusal>> => {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip")
    return err({
      status: 415,
      message: `Reading the body: its Content-Encoding is "${encoding}"; expected gzip or none.`,
    });
  if (!request.body) return ok("");
  const unpacked =
    encoding === "gzip" ? request.body.pipeThrough(new DecompressionStream("gzip")) : request.body;
  try {
    const text = await readText(unpacked, bytesMax);
    return text === undefined
      ? err({ status: 413, message: `Reading the body: expected at most ${bytesMax} bytes, unpacked.` })
      : ok(text);
  } catch {
    return err({ status: 400, message: `Reading the body: it is not valid ${encoding} of UTF-8 text.` });
  }
};

/** Undefined when there is more than the bound; the rest is not read. */
const readText = async (
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<string | undefined> => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const reader = stream.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
};
