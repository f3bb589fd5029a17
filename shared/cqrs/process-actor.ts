/**
 * Runs one process: follows the source's log from its own floor, events of one key in order, others side by side.
 * How far it is stands in the Actor's SQLite, so after a crash what was not finished comes again, still in order per key;
 * a server-side consumer would bring back what was unacknowledged after what is newer.
 */

import type { RecordedEvent } from "../events/event.ts";
import { type EventLog, LogUnavailable } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import { type Clock, type Random, rfc3339, type Sleep } from "../runtime/clock.ts";
import { keyedMutex } from "./mutex.ts";
import { type ParkedEvent, type ParkedPage, parking } from "./parking.ts";
import type { Process } from "./process.ts";
import { type Progress, placeAt, progressFrom } from "./progress.ts";
import { pump } from "./pump.ts";
import { attemptsOf } from "./subscription-attempts.ts";
import { delivery } from "./subscription-delivery.ts";
import { followLog } from "./subscription-follow.ts";
import { subscriptionLag } from "./subscription-lag.ts";
import type { WaitingLanes } from "./subscription-lanes.ts";
import { subscriptionPolicy } from "./subscription-options.ts";
import { subscriptionPlace } from "./subscription-place.ts";
import { waitingEvents } from "./subscription-waiting.ts";

export interface ProcessStatus {
  process: string;
  /** Whether it is at work. */
  following: boolean;
  /** Everything of the source's log up to here has been handled, or stands here waiting or parked. */
  floor: number;
  parked: number;
  /** Events that wait for another attempt, and those behind them. */
  waiting?: number;
  /** Since when it is paused, RFC 3339 UTC. */
  paused?: string;
  /** Why it does not go on at the moment. */
  failure?: string;
}

export interface SubscriptionDetails extends ProcessStatus {
  source: string;
  /** Position of the source's newest commit; undefined while its log cannot be reached. */
  newest?: number;
  /** Commits of the log beyond the floor. */
  behindCommits?: number;
  /** Since the oldest event that is neither handled nor parked; 0 when there is none. */
  behindSeconds: number;
}

export interface ParkedDetails extends ParkedEvent {
  /** In whose order it stands. */
  key: string;
  event: RecordedEvent;
  metadata: Readonly<Record<string, string | undefined>>;
}

export type ProcessMethods = {
  wake(input: Record<string, never>): Promise<ProcessStatus>;
  /** As `wake`, and what an operator wants to know besides. */
  details(input: Record<string, never>): Promise<SubscriptionDetails>;
  /** What is parked, in the log's order. */
  parked(input: ParkedPage): Promise<ParkedEvent[]>;
  /** One that is parked, with the whole event; undefined when it is not. */
  parkedEvent(input: { id: string }): Promise<ParkedDetails | undefined>;
  /**
   * Handles a parked event once more; it leaves the parking only when that succeeds.
   * Refuses with `not_found`, `unavailable`, or `replay_failed` and why.
   */
  replay(input: { id: string }): Promise<Result<{ id: string }, Failure>>;
  /** Gives a parked event up; the reason stands on a span. Refuses with `not_found`. */
  drop(input: { id: string; reason: string }): Promise<Result<{ id: string }, Failure>>;
  /** Stands, also after a restart, until it is resumed; what is being handled is finished. */
  pause(input: Record<string, never>): Promise<SubscriptionDetails>;
  resume(input: Record<string, never>): Promise<SubscriptionDetails>;
  /**
   * Handles everything from there again, although it was; what waits or is parked stays so until it comes.
   * Refuses with `unavailable` where the position of a time cannot be told.
   * @param input the first position, or the epoch ms since which it was written
   */
  replayFrom(input: { position: number } | { time: number }): Promise<Result<SubscriptionDetails, Failure>>;
};

export const processActor = ({
  context,
  process,
  log,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  process: Process;
  /** The source's log. */
  log: EventLog;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<ProcessMethods> => {
  const policy = subscriptionPolicy(process.name, process.subscription);
  const place = subscriptionPlace(context.sql);
  const waiting = waitingEvents(context.sql);
  const parked = parking(context.sql);
  const attempts = attemptsOf(process, policy, { clock, sleep });
  let lanes: WaitingLanes | undefined;
  const deliver = delivery({
    process,
    policy,
    attempts,
    waiting,
    parked,
    inOrder: keyedMutex(),
    waits: (key) => lanes?.start(key),
    clock,
    random,
  });

  let progress: Progress | undefined;
  /** Aborts when what it is to do has changed. */
  let told = new AbortController();

  const firstFloor = async (): Promise<number> => {
    const { from } = policy;
    if (from === "now") return log.lastPosition();
    return from === "beginning" ? 0 : from - 1;
  };

  const store = (of: Progress) => {
    // An attempt of before a replay was asked for may end after it.
    if (of === progress) place.write(of.place());
  };

  /** Where it goes on. */
  const standing = async (): Promise<Progress> => {
    const stored = place.read();
    const done = stored?.floor ?? (await firstFloor());
    // It may have been asked for just now.
    const again = place.replayFrom();
    if (again !== undefined || !stored) {
      const first = placeAt(replayFloor(again, done));
      place.begin(first);
      progress = progressFrom(first);
    }
    progress ??= progressFrom(stored ?? placeAt(0));
    return progress;
  };

  const follow = async (signal: AbortSignal, wentWell: () => void) => {
    told = new AbortController();
    const end = AbortSignal.any([signal, told.signal]);
    if (place.pausedAt() !== undefined) return untilAborted(end);
    const now = await standing();
    if (end.aborted) return;
    const options = { process, policy, log, store, waiting, delivery: deliver, overfull, clock, sleep };
    const lanesAre = (running: WaitingLanes | undefined) => {
      lanes = running;
    };
    await followLog({ ...options, lanesAre }, now, end, wentWell);
  };

  const overfull = (): string | undefined => {
    if (parked.count() >= LIMITS.subscriptionParked)
      return `Nothing new is taken: ${parked.count()} events are parked, expected fewer than ${LIMITS.subscriptionParked}`;
    if (waiting.count() >= LIMITS.subscriptionWaiting)
      return `Nothing new is taken: ${waiting.count()} events wait for another attempt, expected fewer than ${LIMITS.subscriptionWaiting}`;
    return undefined;
  };

  const following = pump({ context, work: follow, clock, random, sleep });
  const floor = () => {
    const again = place.replayFrom();
    const done = place.read()?.floor ?? (again === undefined ? 0 : again - 1);
    return replayFloor(again, done);
  };

  const status = (): ProcessStatus => {
    const pausedAt = place.pausedAt();
    const failure = pausedAt === undefined ? (following.lastFailure() ?? overfull()) : undefined;
    return {
      process: process.name,
      following: following.running(),
      floor: floor(),
      parked: parked.count(),
      ...(waiting.count() > 0 && { waiting: waiting.count() }),
      ...(pausedAt !== undefined && { paused: rfc3339(pausedAt) }),
      ...(failure !== undefined && { failure }),
    };
  };

  const lag = subscriptionLag({ process, log, waiting, clock, sleep, oldest: () => progress?.oldest() });
  const details = async (): Promise<SubscriptionDetails> => {
    await following.wake();
    const now = status();
    return { ...now, source: process.source, ...(await lag(now)) };
  };
  /** Has it look again what it is to do. */
  const tell = () => {
    told.abort();
    return details();
  };

  return {
    alarm: following.alarm,
    methods: {
      async wake() {
        await following.wake();
        return status();
      },
      details,
      parked: async (page) => parked.page(page),
      async parkedEvent({ id }) {
        const found = parked.find(id);
        if (!found) return undefined;
        const { key, event, commit } = found.step;
        return { ...found.event, key, event, metadata: { ...commit.metadata } };
      },
      replay: ({ id }) => deliver.replay(id),
      drop: ({ id, reason }) => deliver.drop(id, reason.slice(0, LIMITS.dropReasonCharacters)),
      async pause() {
        place.pause(place.pausedAt() ?? clock());
        return tell();
      },
      async resume() {
        place.pause(undefined);
        return tell();
      },
      async replayFrom(from) {
        try {
          place.askReplay("position" in from ? from.position : await log.positionAt(from.time));
        } catch (error) {
          if (!(error instanceof LogUnavailable)) throw error;
          return err({ code: "unavailable", detail: `Replaying from a time: ${error.message}` });
        }
        return ok(await tell());
      },
    },
  };
};

/** @param again where it is to begin again: never beyond what is done, for whatever lies between would be passed over */
const replayFloor = (again: number | undefined, done: number): number =>
  again === undefined ? done : Math.min(again - 1, done);

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
