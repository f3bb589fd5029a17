/** The same request for each of its attempts, its body kept where it is small and may be sent again. */
import type { Deadline } from "#shared/resilience/deadline.ts";
import { replayableBody } from "#shared/resilience/replayable-body.ts";
import { maySendAgain } from "#shared/resilience/retry-safety.ts";
import type { Exchange } from "../exchange.ts";
import { onwardRequest } from "../onward-request.ts";
import type { RetryPart } from "./policy.ts";

export interface RequestCopies {
  /** Whether it may be called more than once. */
  readonly repeatable: () => boolean;
  /** @param signal ends this attempt alone; the client's going away ends all of them */
  readonly next: (signal?: AbortSignal) => Request;
}

export interface CopyOptions {
  readonly exchange: Exchange;
  /** In the place of the request's own. */
  readonly url: string | undefined;
  /** See `onwardRequest`. */
  readonly identity: string | undefined;
  readonly deadline: Deadline;
  /** False when nothing is ever sent twice: then every body streams. */
  readonly again: false | Pick<RetryPart, "safeMethods" | "bodyBytesMax">;
}

/** Undefined: nothing need be waited for, and `streamedCopies` do. Of a request without a body nothing is touched. */
export const keptCopies = (options: CopyOptions): Promise<RequestCopies> | undefined => {
  const { again, exchange } = options;
  const { request } = exchange;
  if (request.method === "GET" || request.method === "HEAD" || !again) return undefined;
  if (request.body === null || !maySendAgain(request, again.safeMethods)) return undefined;
  if (Number(request.headers.get("content-length")) > again.bodyBytesMax) return undefined;
  return keepBody(options, again.bodyBytesMax);
};

export const streamedCopies = ({ exchange, url, identity, deadline, again }: CopyOptions): RequestCopies => {
  const { request, fields, requestId, onward: edits } = exchange;
  return {
    repeatable: () =>
      again !== false &&
      request.body === null &&
      !request.headers.has("upgrade") &&
      maySendAgain(request, again.safeMethods),
    next: (signal) =>
      carrying(onwardRequest({ request, fields, requestId, url, signal, edits, identity }), deadline),
  };
};

const keepBody = async (
  { exchange, url, identity, deadline }: CopyOptions,
  bytesMax: number,
): Promise<RequestCopies> => {
  const { request, requestId, onward: edits } = exchange;
  const body = await replayableBody(request, { bytesMax, signal: deadline.signal });
  const { method, headers, redirect } = request;
  return {
    repeatable: () => body.replayable,
    next(signal) {
      const opened = body.open();
      const init = {
        method,
        headers: new Headers(headers),
        redirect,
        signal: signal ?? request.signal,
        ...opened,
      };
      // The platform knows what is sent.
      init.headers.delete("content-length");
      const copy = new Request(url ?? request.url, init);
      return carrying(onwardRequest({ request: copy, requestId, edits, identity }), deadline);
    },
  };
};

const carrying = (request: Request, deadline: Deadline): Request => {
  deadline.carry(request.headers);
  return request;
};
