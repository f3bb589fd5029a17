/** Where spans and metrics go: the monitor worker, or the collector that the operator names. */
import type { Upstream } from "#shared/http/upstream.ts";
import type { SendSpans } from "./post-otlp.ts";

export interface SpanDestination {
  /** Takes them when no endpoint is set: the service binding to the monitor. */
  readonly monitor?: Upstream | undefined;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`: a base URL, the request's own path (`/v1/traces`) is appended. */
  readonly endpoint?: string | undefined;
  /** `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, values percent-encoded. */
  readonly headers?: string | undefined;
  /** Reaches the endpoint; the platform's `fetch` when absent. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Returns what the exporter sends with. It rejects when there is no destination or its URL is not valid. */
export const sendSpansTo = ({
  monitor,
  endpoint,
  headers,
  fetch = globalFetch,
}: SpanDestination): SendSpans => {
  if (!endpoint) {
    return async (request) => {
      if (!monitor)
        throw new Error('Sending spans: neither a monitor nor an "OTEL_EXPORTER_OTLP_ENDPOINT" is set');
      return monitor.fetch(request);
    };
  }
  const base = endpoint.replace(/\/+$/, "");
  const extraHeaders = parseHeaders(headers ?? "");
  return async (request) => {
    const url = `${base}${new URL(request.url).pathname}`;
    if (!URL.canParse(url))
      throw new Error(`Sending spans to "${endpoint}": expected a URL such as https://collector:4318`);
    const redirected = new Request(url, request);
    for (const [name, value] of extraHeaders) redirected.headers.set(name, value);
    return fetch(redirected);
  };
};

const globalFetch = (request: Request) => globalThis.fetch(request);

const parseHeaders = (list: string): [string, string][] =>
  list.split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(0, at)).trim();
    return name ? [[name, decoded(pair.slice(at + 1).trim())] as [string, string]] : [];
  });

const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};
