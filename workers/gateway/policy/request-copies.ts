/** The same request for each of its attempts, its body kept where it is small and may be sent again. */
import { LIMITS } from "#shared/limits.ts";
import type { Deadline } from "#shared/resilience/deadline.ts";
import { type BodyOfAttempt, replayableBody } from "#shared/resilience/replayable-body.ts";
import { maySendAgain } from "#shared/resilience/retry-safety.ts";
import type { Exchange } from "../exchange.ts";
import { onwardRequest } from "../onward-request.ts";
import type { RetryPart } from "./policy.ts";
import { type BodyStand, watchedBody } from "./watched-body.ts";

export interface RequestCopies {
  /** Whether it may be called more than once. */
  readonly repeatable: () => boolean;
  /** @param signal ends this attempt alone; the client's going away ends all of them */
  readonly next: (signal?: AbortSignal) => Request;
  /** How it stands with the client's body. */
  readonly stand: () => BodyStand;
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
  if (isBare(request)) return hasBody(exchange) ? heardToItsEnd(options) : undefined;
  if (!again) return undefined;
  if (request.body === null || !maySendAgain(request, again.safeMethods)) return undefined;
  if (Number(request.headers.get("content-length")) > again.bodyBytesMax) return undefined;
  return keepBody(options, again.bodyBytesMax);
};

/** Platforms take no such request with another body than its own. */
const isBare = ({ method }: Request): boolean => method === "GET" || method === "HEAD";

/** Without a look at the body, which is dear: of requests that have none, too. */
const hasBody = ({ fields, request }: Exchange): boolean =>
  (fields.has("transfer-encoding") || Number(fields.get("content-length")) > 0) && request.body !== null;

const WELL = (): BodyStand => "well";
const BROKEN = (): BodyStand => "broken";

export const streamedCopies = (options: CopyOptions): RequestCopies => {
  const { exchange, url, identity, deadline, again } = options;
  const { request, fields, requestId, onward: edits } = exchange;
  let watched: WatchedRequest | undefined;
  return {
    repeatable: () =>
      again !== false &&
      request.body === null &&
      !request.headers.has("upgrade") &&
      maySendAgain(request, again.safeMethods),
    next(signal) {
      // The body goes with the first: a request that has one is sent once.
      watched ??= watchedRequest(exchange);
      const sent = watched?.request ?? request;
      return carrying(
        onwardRequest({ request: sent, fields, requestId, url, signal, edits, identity }),
        deadline,
      );
    },
    stand: () => watched?.stand() ?? "well",
  };
};

interface WatchedRequest {
  readonly request: Request;
  readonly stand: () => BodyStand;
}

/** Undefined for requests without a body, and those that cannot be watched. */
const watchedRequest = ({ request, fields }: Exchange): WatchedRequest | undefined => {
  const length = lengthOf(fields);
  if (length === 0 || isBare(request) || request.body === null) return undefined;
  const { body, stand } = watchedBody(request.body, length);
  // `duplex` is what Node wants to be told with a stream.
  return { request: new Request(request, { body, duplex: "half" } as RequestInit), stand };
};

/** A length beside a coding says nothing. */
const lengthOf = (fields: Exchange["fields"]): number | undefined => {
  const declared = fields.get("content-length");
  return declared === null || fields.has("transfer-encoding") ? undefined : Number(declared);
};

/** It is small and rare: its twin is read before anybody is asked, because it cannot be watched on its way. */
const heardToItsEnd = async (options: CopyOptions): Promise<RequestCopies> => {
  const { exchange, deadline } = options;
  const heard = exchange.request.clone();
  const { broken } = await replayableBody(heard, {
    bytesMax: LIMITS.routeBodyBytes,
    signal: deadline.signal,
  });
  return { ...streamedCopies(options), stand: broken ? BROKEN : WELL };
};

const keepBody = async (
  { exchange, url, identity, deadline }: CopyOptions,
  bytesMax: number,
): Promise<RequestCopies> => {
  const { request, requestId, onward: edits } = exchange;
  const body = await replayableBody(request, { bytesMax, signal: deadline.signal });
  const { method, headers, redirect } = request;
  let stand = body.broken ? BROKEN : WELL;
  const open = (): BodyOfAttempt => {
    const opened = body.open();
    if (!("duplex" in opened)) return opened;
    const watched = watchedBody(opened.body, undefined);
    stand = watched.stand;
    return { ...opened, body: watched.body };
  };
  return {
    repeatable: () => body.replayable,
    next(signal) {
      const init = {
        method,
        headers: new Headers(headers),
        redirect,
        signal: signal ?? request.signal,
        ...open(),
      };
      // The platform knows what is sent.
      init.headers.delete("content-length");
      const copy = new Request(url ?? request.url, init);
      return carrying(onwardRequest({ request: copy, requestId, edits, identity }), deadline);
    },
    stand: () => stand(),
  };
};

const carrying = (request: Request, deadline: Deadline): Request => {
  deadline.carry(request.headers);
  return request;
};
