/** The same request for each of its attempts, its body kept where it is small and may be sent again. */
import { LIMITS } from "#shared/limits.ts";
import type { Deadline } from "#shared/resilience/deadline.ts";
import type { Timer } from "#shared/resilience/deadline-timer.ts";
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
  readonly timer: Timer;
}

/** Undefined: nothing need be waited for, and `streamedCopies` do. Of a request without a body nothing is touched. */
export const keptCopies = (options: CopyOptions): Promise<RequestCopies> | undefined => {
  const { again, exchange } = options;
  const { request } = exchange;
  if (isBare(request)) return hasBody(exchange) ? heardToItsEnd(options) : undefined;
  const length = lengthOf(exchange.fields);
  if (length !== undefined && length > 0 && length <= LIMITS.wholeBodyBytes)
    return request.body === null ? undefined : takeWhole(options);
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
const OVER = (): BodyStand => "over";

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

/** Its twin is read before anybody is asked, because it cannot be watched on its way; nobody has a use for a large one. */
const heardToItsEnd = async (options: CopyOptions): Promise<RequestCopies> => {
  const { exchange, deadline } = options;
  const { broken, replayable } = await replayableBody(exchange.request.clone(), {
    bytesMax: LIMITS.requestBodyBytes,
    signal: deadline.signal,
  });
  const whole = replayable ? WELL : OVER;
  return { ...streamedCopies(options), stand: broken ? BROKEN : whole };
};

/** Costs less than to watch it on its way, and no instance waits for a slow client. */
const takeWhole = async (options: CopyOptions): Promise<RequestCopies> => {
  const { exchange, again } = options;
  const { request } = exchange;
  const bytes = await wholeBody(request, options);
  const opened = { body: bytes ?? null };
  const isKept = again !== false && bytes !== undefined && bytes.byteLength <= again.bodyBytesMax;
  return {
    repeatable: () => isKept && maySendAgain(request, again.safeMethods),
    next: (signal) => copyWith(opened, options, signal),
    stand: bytes ? WELL : BROKEN,
  };
};

/** Undefined when it broke off, or did not come before the deadline. */
const wholeBody = (
  request: Request,
  { deadline, timer }: CopyOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  const remainingMs = deadline.remainingMs();
  const whole = request.arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => undefined,
  );
  if (remainingMs === Number.POSITIVE_INFINITY) return whole;
  return new Promise((resolve) => {
    const stop = timer(Math.max(0, remainingMs), () => resolve(undefined));
    whole.then((bytes) => {
      stop();
      resolve(bytes);
    });
  });
};

const keepBody = async (options: CopyOptions, bytesMax: number): Promise<RequestCopies> => {
  const { exchange, deadline } = options;
  const body = await replayableBody(exchange.request, { bytesMax, signal: deadline.signal });
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
    next: (signal) => copyWith(open(), options, signal),
    stand: () => stand(),
  };
};

const copyWith = (
  opened: BodyOfAttempt,
  { exchange, url, identity, deadline }: CopyOptions,
  signal: AbortSignal | undefined,
): Request => {
  const { request, fields, requestId, onward: edits } = exchange;
  const { method, redirect } = request;
  const headers = new Headers(request.headers);
  // The platform knows what is sent.
  headers.delete("content-length");
  const init = { method, headers, redirect, signal: signal ?? request.signal, ...opened };
  const copy = new Request(url ?? request.url, init);
  return carrying(onwardRequest({ request: copy, fields, requestId, edits, identity }), deadline);
};

const carrying = (request: Request, deadline: Deadline): Request => {
  deadline.carry(request.headers);
  return request;
};
