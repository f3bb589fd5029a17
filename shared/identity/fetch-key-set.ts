/** One question for a key set over HTTP, bounded in time and size. */
import { bounded } from "../control/bounded.ts";
import { LIMITS } from "../limits.ts";
import type { Sleep } from "../runtime/clock.ts";

export type Fetch = (request: Request) => Promise<Response>;

export interface FetchedKeySet {
  /** Its JSON as it came. */
  readonly text: string;
  /** How long it may be taken for new, by its `Cache-Control` within our bounds. */
  readonly freshMs: number;
}

/** Rejects when no answer of status 200 and at most `LIMITS.keySetBytes` came within `LIMITS.keySetMs`. */
export const fetchKeySet = (url: string, fetch: Fetch, sleep: Sleep): Promise<FetchedKeySet> =>
  bounded({ ms: LIMITS.keySetMs, sleep }, async (signal) => {
    const headers = { accept: "application/jwk-set+json, application/json" };
    // A redirect could lead anywhere, also to where the gateway alone may go: it is no answer.
    const response = await fetch(new Request(url, { headers, redirect: "manual", signal }));
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`Fetching keys from "${url}": the status is "${response.status}", expected 200`);
    }
    const text = await boundedText(response, url);
    return { text, freshMs: freshMsOf(response.headers.get("cache-control")) };
  });

const boundedText = async (response: Response, url: string): Promise<string> => {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Counted while it comes: a declared length may be missing, and may lie.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LIMITS.keySetBytes) {
      throw new Error(`Fetching keys from "${url}": expected at most ${LIMITS.keySetBytes} bytes`);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};

const freshMsOf = (cacheControl: string | null): number => {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl ?? "")?.[1];
  if (seconds === undefined) return LIMITS.keySetFreshMs;
  return Math.min(Math.max(Number(seconds) * 1_000, LIMITS.keySetFreshMinMs), LIMITS.keySetFreshMaxMs);
};
