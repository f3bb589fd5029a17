/** One slice of a subscription: takes what the log brings, and tries again what waits, until the signal aborts. */
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { tenantOf } from "../events/tenant-id.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import { type CommitsUnderWay, commitsUnderWay } from "./commits-under-way.ts";
import { NO_KEY } from "./parking.ts";
import type { Process } from "./process.ts";
import type { Progress } from "./progress.ts";
import type { Delivery } from "./subscription-delivery.ts";
import { type WaitingLanes, waitingLanes } from "./subscription-lanes.ts";
import type { SubscriptionPolicy } from "./subscription-options.ts";
import type { Step } from "./subscription-step.ts";
import type { WaitingEvents } from "./subscription-waiting.ts";

export interface FollowOptions {
  readonly process: Process;
  readonly policy: SubscriptionPolicy;
  readonly log: EventLog;
  /** Stores how far it is, unless it begins elsewhere by now. */
  readonly store: (progress: Progress) => void;
  readonly waiting: WaitingEvents;
  readonly delivery: Delivery;
  /** Told of the lanes that run for as long as the slice does. */
  readonly lanesAre: (lanes: WaitingLanes | undefined) => void;
  /** Why nothing more may be taken from the log, if so. */
  readonly overfull: () => string | undefined;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** @param progress outlives the slices, so that none does again what another finished above the floor */
export const followLog = async (
  { process, policy, log, store, waiting, delivery, lanesAre, overfull, clock, sleep }: FollowOptions,
  progress: Progress,
  outer: AbortSignal,
  wentWell: () => void,
): Promise<void> => {
  const handled = new Set(process.handles);
  const under: CommitsUnderWay = commitsUnderWay({
    async handle(step, signal) {
      const { commit, part } = step;
      const open = {
        isOpen: () => progress.isOpen(commit.position, part),
        finish: () => progress.finish(commit.position, part),
        failed: (thrown: unknown) => under.fail(thrown),
      };
      const outcome = await delivery.first(step, open, signal);
      // What ends after its slice says nothing of why that one ended.
      if (!signal.aborted) wentWell();
      return outcome;
    },
    store: () => store(progress),
    full: (inHand) => inHand + waiting.unavailable() >= LIMITS.processBacklog || overfull() !== undefined,
    signal: outer,
  });
  const { signal } = under;
  const lanes = waitingLanes({
    waiting,
    async again(key, head) {
      await delivery.again(key, head, signal);
      wentWell();
      under.changed();
    },
    failed: under.fail,
    signal,
    clock,
    sleep,
  });
  lanesAre(lanes);

  const stepOfPart = (commit: Commit, part: number): Step | undefined => {
    const event = commit.events[part];
    return event && { commit, event, part, key: keyOf(policy, event, commit) };
  };
  const take = (commit: Commit, part: number) => {
    const step = stepOfPart(commit, part);
    if (step) under.take(step);
  };
  const partsOf = ({ events }: Commit) =>
    events.flatMap(({ type }, part) => (handled.has(type) ? [part] : []));

  try {
    // The slice before may have failed to.
    store(progress);
    for (const { commit, parts } of progress.unfinished()) for (const part of parts) take(commit, part);
    const tail = log.tail({ after: progress.newest(), batchMax: LIMITS.projectionBatch, signal });
    for await (const batch of tail) {
      for (const commit of batch) {
        if (!under.hasRoom()) await under.room();
        if (signal.aborted) return;
        for (const part of progress.start(commit, partsOf(commit))) take(commit, part);
      }
      under.passed();
      wentWell();
    }
  } finally {
    lanesAre(undefined);
    under.stop();
  }
};

/**
 * Undefined when the process cannot tell it: nothing but the one event suffers from that. A key is of one tenant: what another
 * one has failed at does not hold it up.
 */
const keyOf = (policy: SubscriptionPolicy, event: Step["event"], commit: Commit): string | undefined => {
  const tenant = tenantOf(commit.aggregate.id);
  try {
    const key: unknown = policy.keyOf(event, commit);
    if (typeof key !== "string" || key === NO_KEY) return undefined;
    return tenant === undefined || key === commit.aggregate.id ? key : `${tenant}.${key}`;
  } catch {
    return undefined;
  }
};
