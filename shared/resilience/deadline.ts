/** The one end of a request, however many attempts it takes: what remains of it, here and for the next hop. */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import { DEADLINE_HEADER, deadlineHeaderMs, GRPC_TIMEOUT_HEADER } from "./deadline-header.ts";
import type { Timer } from "./deadline-timer.ts";

export interface Deadline {
  /** In milliseconds of the clock that it was made with. */
  readonly at: number;
  /**
   * Aborts at the end (`TimeoutError`) or when the client goes away (its signal's reason). One for all attempts, made
   * when it is first asked for: until then there is no timer.
   */
  readonly signal: AbortSignal;
  /** Negative once it is over. */
  remainingMs(): number;
  isOver(): boolean;
  /** Tells the next hop what remains, less what this one needs to answer; `grpc-timeout` only where it stands. */
  carry(headers: Headers): void;
  /**
   * To be called when there is an answer: its body may stream on beyond the end, and only the client's going away still
   * ends it. Without it the timer stays until the end and cuts a body that is still streaming.
   */
  release(): void;
}

export type DeadlineOptions = {
  clock: Clock;
  timer: Timer;
  /** A caller gets no more than this, whatever it asks for. */
  maximumMs: number;
  /** Where the caller does not say. */
  defaultMs: number;
};

/** Of a request that only its client ends: nothing is told to the next hop. */
export const endless = (request: Pick<Request, "signal">): Deadline => ({
  at: Number.POSITIVE_INFINITY,
  get signal() {
    return request.signal;
  },
  remainingMs: () => Number.POSITIVE_INFINITY,
  isOver: () => false,
  carry() {},
  release() {},
});

/** The deadline of a request as its caller wants it, within bounds. Of the request only what is needed is touched. */
export const deadlineFrom = (
  request: { readonly headers: Pick<Headers, "get">; readonly signal: AbortSignal },
  { clock, timer, maximumMs, defaultMs }: DeadlineOptions,
): Deadline => {
  const budgetMs = Math.min(deadlineHeaderMs(request.headers) ?? defaultMs, maximumMs);
  const at = clock() + budgetMs;
  const tellsGrpc = request.headers.get(GRPC_TIMEOUT_HEADER) !== null;
  let signal: AbortSignal | undefined;
  let stopTimer = () => {};
  let released = false;

  // A listener, for AbortSignal.any costs many times as much on Node and Deno, and about the same on workerd.
  const start = (): AbortSignal => {
    const client = request.signal;
    if (released || client.aborted) return client;
    const end = new AbortController();
    stopTimer = timer(Math.max(0, at - clock()), () => end.abort(timeout(budgetMs)));
    const follow = () => {
      stopTimer();
      end.abort(client.reason);
    };
    client.addEventListener("abort", follow, { once: true });
    return end.signal;
  };

  return {
    at,
    get signal() {
      signal ??= start();
      return signal;
    },
    remainingMs: () => at - clock(),
    isOver: () => at <= clock(),
    carry(headers) {
      const remainingMs = Math.max(0, Math.floor(at - clock() - LIMITS.deadlineMarginMs));
      headers.set(DEADLINE_HEADER, `${remainingMs}`);
      if (tellsGrpc && headers.has(GRPC_TIMEOUT_HEADER)) {
        headers.set(GRPC_TIMEOUT_HEADER, `${Math.min(remainingMs, GRPC_VALUE_MAX)}m`);
      }
    },
    release() {
      released = true;
      stopTimer();
    },
  };
};

/** Eight digits. */
const GRPC_VALUE_MAX = 99_999_999;

const timeout = (budgetMs: number) =>
  new DOMException(`Waiting for an answer: expected one within ${budgetMs} ms.`, "TimeoutError");
