/** One request to the service on its way, as the functions that send and keep pass it on. */
import type { Handler } from "../../exchange.ts";
import type { AnswerTimes } from "./answer-terms.ts";
import type { ForwardReason } from "./cache-status.ts";
import type { Lease } from "./coalescing.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import type { CacheMemory, Visit } from "./visit.ts";

export interface Asking {
  readonly visit: Visit;
  readonly memory: CacheMemory;
  readonly next: Handler;
  readonly lease: Lease;
  readonly reason: ForwardReason;
  /** To be validated. */
  readonly stored: StoredAnswer | undefined;
  /** Nobody waits for the answer itself: it is read for the store. */
  readonly behind?: boolean;
}

export interface Asked {
  readonly answer: Response;
  readonly times: AnswerTimes;
  /** The store's invalidations when it was sent. */
  readonly since: number;
  /** The client's own conditions did not reach the service. */
  readonly conditionsTaken: boolean;
}

/** A body that nobody reads would hold its connection. */
export const discard = ({ body }: Response): void => void body?.cancel().catch(() => undefined);
