/**
 * Runs one process: follows the source's log from its own floor, events of one aggregate in order, others side by side.
 * The floor stands in the Actor's SQLite, so after a crash everything above it comes again, still in order per aggregate;
 * a server-side consumer would bring back what was unacknowledged after what is newer.
 */
import type { Commit, RecordedEvent } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import { type Clock, type Random, rfc3339, type Sleep } from "../runtime/clock.ts";
import { withTrace } from "../telemetry/propagation.ts";
import { inSpan } from "../telemetry/span.ts";
import { backoffMs } from "./backoff.ts";
import { keyedMutex } from "./mutex.ts";
import { type ParkedEvent, parking } from "./parking.ts";
import type { Process } from "./process.ts";
import { progressFrom } from "./progress.ts";
import { pump } from "./pump.ts";
import { semaphore } from "./semaphore.ts";

export interface ProcessStatus {
  process: string;
  /** Whether it is at work. */
  following: boolean;
  /** Everything of the source's log up to here has been handled or parked. */
  floor: number;
  parked: number;
  /** Why it does not go on at the moment. */
  failure?: string;
}

export type ProcessMethods = {
  wake(input: Record<string, never>): Promise<ProcessStatus>;
  parked(input: Record<string, never>): Promise<ParkedEvent[]>;
  /** Handles a parked event once more; it leaves the parking only when that succeeds. */
  replay(input: { id: string }): Promise<Result<{ id: string }, Failure>>;
};

/** The floor is written after this many finished commits, and whenever nothing is under way. */
const FLOOR_EVERY = 64;

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
  const { sql } = context;
  const parked = parking(sql);
  sql.exec(
    "CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL)",
  );
  sql.exec("INSERT OR IGNORE INTO floor (id, position) VALUES (1, 0)");
  const storedFloor = () => sql.exec<{ position: number }>("SELECT position FROM floor")[0]?.position ?? 0;

  const inTurn = semaphore(LIMITS.processConcurrency);
  const attempt = (event: RecordedEvent, commit: Commit, signal?: AbortSignal) =>
    inTurn(async () => {
      // What was interrupted before it comes again later, so what follows it must not be handled now.
      signal?.throwIfAborted();
      return handleTraced(event, commit);
    });

  const handleTraced = (event: RecordedEvent, commit: Commit) =>
    withTrace(commit.trace, () =>
      inSpan(
        `process ${process.name}`,
        {
          kind: "consumer",
          attributes: {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": `log-${process.source}`,
            "messaging.consumer.group.name": process.name,
            "messaging.message.id": event.id,
            "skerry.event.type": event.type,
          },
        },
        async (span): Promise<Result<unknown, Failure>> => {
          const result = await process.handle(event, commit);
          if (!result.ok) span.setAttribute("error.type", result.error.code);
          return result;
        },
      ),
    ).catch(
      (thrown: unknown): Result<unknown, Failure> =>
        err({ code: "internal_error", detail: thrown instanceof Error ? thrown.message : String(thrown) }),
    );

  const untilHandledOrParked = async (event: RecordedEvent, commit: Commit, signal: AbortSignal) => {
    for (let counted = 0, attempts = 1; ; attempts++) {
      const result = await attempt(event, commit, signal);
      if (result.ok) return;
      // Infrastructure that is away is no reason to give an event up.
      if (result.error.code !== "unavailable") counted++;
      if (counted >= LIMITS.processAttempts) {
        parked.park(parkedEvent(event, commit, result.error, attempts), commit);
        return;
      }
      await sleep(backoffMs(attempts, random), signal);
    }
  };

  const parkedEvent = (
    event: RecordedEvent,
    commit: Commit,
    reason: Failure,
    attempts: number,
  ): ParkedEvent => ({
    id: event.id,
    process: process.name,
    source: process.source,
    position: commit.position,
    aggregateId: commit.aggregate.id,
    type: event.type,
    reason,
    attempts,
    parkedAt: rfc3339(clock()),
    ...(commit.trace.traceparent && { traceparent: commit.trace.traceparent }),
  });

  const follow = async (outer: AbortSignal, wentWell: () => void) => {
    const stopped = new AbortController();
    const signal = AbortSignal.any([outer, stopped.signal]);
    const inOrder = keyedMutex();
    const underWay = new Set<Promise<void>>();
    const progress = progressFrom(storedFloor());
    let finishedSinceStored = 0;
    let settled = () => {};

    const storeFloor = () => {
      sql.exec("UPDATE floor SET position = ?", progress.floor());
      finishedSinceStored = 0;
    };
    const handle = async (commit: Commit) => {
      for (const event of commit.events) {
        if (process.handles.includes(event.type)) await untilHandledOrParked(event, commit, signal);
      }
      progress.finish(commit.position);
      finishedSinceStored++;
      wentWell();
    };
    const take = (commit: Commit) => {
      progress.start(commit.position);
      // What rejects was interrupted: it stays unfinished, so the floor stays below it and it comes again.
      const done = inOrder(commit.aggregate.id, () => handle(commit)).catch(() => undefined);
      underWay.add(done);
      void done.then(() => {
        underWay.delete(done);
        if (underWay.size === 0 || finishedSinceStored >= FLOOR_EVERY) storeFloor();
        settled();
      });
    };
    const roomForMore = () =>
      new Promise<void>((resolve) => {
        settled = resolve;
      });

    try {
      const tail = log.tail({ after: storedFloor(), batchMax: LIMITS.projectionBatch, signal });
      for await (const commits of tail) {
        for (const commit of commits) {
          while (underWay.size >= LIMITS.processBacklog) await roomForMore();
          if (signal.aborted) return;
          take(commit);
        }
      }
    } finally {
      stopped.abort();
      await Promise.all(underWay);
      storeFloor();
    }
  };

  const following = pump({ context, work: follow, clock, random, sleep });

  return {
    alarm: following.alarm,
    methods: {
      async wake() {
        await following.wake();
        const failure = following.lastFailure();
        return {
          process: process.name,
          following: following.running(),
          floor: storedFloor(),
          parked: parked.list().length,
          ...(failure !== undefined && { failure }),
        };
      },
      parked: async () => parked.list(),
      async replay({ id }) {
        const found = parked.find(id);
        if (!found)
          return err({ code: "not_found", detail: `Cannot replay "${id}": nothing of this id is parked` });
        const event = found.commit.events.find((candidate) => candidate.id === id);
        if (!event) throw new Error(`Cannot replay "${id}": its commit does not hold it`);
        const result = await attempt(event, found.commit);
        if (!result.ok) return result;
        parked.remove(id);
        return ok({ id });
      },
    },
  };
};
