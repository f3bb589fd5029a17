/** Asks one service for its document, within a bound of time and size. */
import { strongEtag } from "#shared/http/etag.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { basePathOf, type JsonObject, readDocument } from "./service-document.ts";

export interface FetchedDocument {
  readonly document: JsonObject;
  readonly characters: number;
  readonly digest: string;
}

/** Never rejects; the refusal says in a few words why there is none. */
export const fetchDocument = (
  upstream: Upstream,
  named: { readonly service: string; readonly major: number },
  timer: Timer,
): Promise<Result<FetchedDocument, string>> =>
  new Promise((resolve) => {
    const late = new AbortController();
    // The bound holds also where whoever answers takes no notice of the signal.
    const release = timer(LIMITS.openApiFetchMs, () => {
      resolve(err(`it did not answer within ${LIMITS.openApiFetchMs} ms`));
      late.abort();
    });
    askFor(upstream, named, late.signal)
      .catch(() => err("it did not answer"))
      .then((found) => {
        release();
        resolve(found);
      });
  });

const askFor = async (
  upstream: Upstream,
  named: { readonly service: string; readonly major: number },
  signal: AbortSignal,
): Promise<Result<FetchedDocument, string>> => {
  const url = `http://${named.service}${basePathOf(named)}/openapi.json`;
  const answer = await upstream.fetch(
    new Request(url, { headers: { accept: "application/json" }, signal, redirect: "manual" }),
  );
  if (!answer.ok) {
    await answer.body?.cancel();
    return err(`it answered ${answer.status}, expected 200`);
  }
  const text = await textWithin(answer, LIMITS.openApiBytes);
  if (text === undefined) return err(`expected at most ${LIMITS.openApiBytes} bytes`);
  const read = readDocument(text);
  if (!read.ok) return read;
  return ok({ document: read.value, characters: text.length, digest: await strongEtag(text) });
};

/** Undefined when there is more; then the rest is not read. */
const textWithin = async (answer: Response, bytesMax: number): Promise<string | undefined> => {
  if (!answer.body) return "";
  const decoder = new TextDecoder();
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let bytes = 0;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
};
