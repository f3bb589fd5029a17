/** Asks an instance over its binding or its URL whether it is well. */
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import type { Instance } from "#shared/registry/instance.ts";
import type { ProbeResult } from "./instance-life.ts";
import type { Probe } from "./probe-rounds.ts";

/** An instance that answers 2xx and this, or a JSON body with it in `status`, is degraded by its own word. */
const STATUS_HEADER = "skerry-health";

/**
 * Well is who answers 2xx within the time; a redirect is no answer, and is not followed to where nobody registered.
 * @param options.bindings service bindings by name
 * @param options.fetchUrl the platform's `fetch`
 */
export const probeInstance = ({
  bindings,
  fetchUrl,
}: {
  bindings: Readonly<Record<string, Upstream>>;
  fetchUrl: (request: Request) => Promise<Response>;
}): Probe =>
  async function probe(instance, { path, timeoutMs }) {
    const { binding, url } = instance;
    if (url !== undefined) return readAnswer(fetchUrl, { url: `${url}${path}`, timeoutMs });
    const upstream = bindingOf(bindings, instance);
    if (!upstream) return { ok: false };
    const own = { url: `http://${binding?.toLowerCase()}${path}`, timeoutMs };
    return readAnswer((request) => upstream.fetch(request), own);
  };

const bindingOf = (
  bindings: Readonly<Record<string, Upstream>>,
  { binding }: Instance,
): Upstream | undefined =>
  binding !== undefined && Object.hasOwn(bindings, binding) ? bindings[binding] : undefined;

const readAnswer = async (
  send: (request: Request) => Promise<Response>,
  { url, timeoutMs }: { url: string; timeoutMs: number },
): Promise<ProbeResult> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const request = new Request(url, { redirect: "manual", signal, headers: { accept: "application/json" } });
    const response = await withinTime(send(request), signal);
    if (!response.ok) {
      await response.body?.cancel();
      return { ok: false };
    }
    const said = response.headers.get(STATUS_HEADER);
    const text = await withinTime(readStart(response.body), signal);
    return { ok: true, degraded: said === "degraded" || saysDegraded(text) };
  } catch {
    return { ok: false };
  }
};

/** Not every upstream heeds the signal of its request. */
const withinTime = <Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });

/** The body's start; the rest is let go, so that it holds no connection. */
const readStart = async (body: ReadableStream<Uint8Array> | null): Promise<string> => {
  if (!body) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (bytes < LIMITS.registryProbeBodyBytes) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
};

const saysDegraded = (text: string): boolean => {
  try {
    const answer: unknown = JSON.parse(text);
    return (
      typeof answer === "object" && answer !== null && "status" in answer && answer.status === "degraded"
    );
  } catch {
    return false;
  }
};
