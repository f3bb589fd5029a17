/** What a service gets to see of a client's request. */
import { IDENTITY_HEADER } from "#shared/identity/identity-token.ts";
import type { HeaderEdit } from "./exchange.ts";
import { type RequestFields, readFields } from "./request-fields.ts";
import { VIA } from "./via.ts";

export interface Onward {
  readonly request: Request;
  /** The request's, as it came; read anew when absent. */
  readonly fields?: RequestFields;
  readonly requestId: string;
  /** In the place of the request's own. */
  readonly url?: string | undefined;
  /** In the place of the request's own. */
  readonly signal?: AbortSignal | undefined;
  /** Made last, so that they may set what clients may not. */
  readonly edits?: readonly HeaderEdit[] | undefined;
  /** The gateway's word for the caller, for services of the platform alone. No edit reaches it. */
  readonly identity?: string | undefined;
}

/** The same request, body streamed, without the headers that are not the client's to pass on, with its id and `Via`. */
export const onwardRequest = (options: Onward): Request => {
  const { request, requestId, url, signal, edits, identity } = options;
  const onward = copyOf(request, url, signal);
  const { headers } = onward;
  const { dropped, webSocket } = options.fields ?? readFields(request.headers);
  for (const name of dropped) headers.delete(name);
  if (webSocket) headers.set("upgrade", "websocket");
  headers.set("x-request-id", requestId);
  headers.append("via", VIA);
  if (edits) edit(headers, edits);
  if (identity !== undefined) headers.set(IDENTITY_HEADER, identity);
  return onward;
};

const copyOf = (request: Request, url: string | undefined, signal: AbortSignal | undefined): Request => {
  if (url === undefined) return signal ? new Request(request, { signal }) : new Request(request);
  const elsewhere = new Request(url, request);
  return signal ? new Request(elsewhere, { signal }) : elsewhere;
};

/** Makes the changes in their order. */
export const edit = (headers: Headers, edits: readonly HeaderEdit[]): void => {
  for (const { kind, name, value } of edits) {
    if (kind === "remove") headers.delete(name);
    else headers[kind](name, value);
  }
};
