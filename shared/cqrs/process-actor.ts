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
import { inSpan, refuseSpan } from "../telemetry/span.ts";
import { backoffMs } from "./backoff.ts";
import { commitsUnderWay } from "./commits-under-way.ts";
import { type ParkedEvent, type ParkedPage, parking } from "./parking.ts";
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
  /** What is parked, in the log's order. */
  parked(input: ParkedPage): Promise<ParkedEvent[]>;
  /**
   * Handles a parked event once more; it leaves the parking only when that succeeds.
   * Refuses with `not_found`, `unavailable`, or `replay_failed` and why.
   */
  replay(input: { id: string }): Promise<Result<{ id: string }, Failure>>;
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
  const { sql } = context;
  const parked = parking(sql);
  sql.exec(
    "CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL)",
  );
  sql.exec("INSERT OR IGNORE INTO floor (id, position) VALUES (1, 0)");
  const storedFloor = () => sql.exec<{ position: number }>("SELECT position FROM floor")[0]?.position ?? 0;
  const storeFloor = (position: number) => void sql.exec("UPDATE floor SET position = ?", position);
  /** Outlives the slices, so that none does again what another finished above the floor. */
  const progress = progressFrom(storedFloor());

  /** By the event's id; outlives the slices, which a busy log ends sooner than an event has had its attempts. */
  const failing = new Map<string, { attempts: number; counted: number; notBefore: number }>();

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
        `process log-${process.source}`,
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
            // By which a trace is looked for: the event's id need not tell whom it is about.
            "skerry.aggregate.id": commit.aggregate.id,
          },
        },
        async (span): Promise<Result<unknown, Failure>> => {
          const result = await process.handle(event, commit);
          if (!result.ok) refuseSpan(span, result.error);
          return result;
        },
      ),
    ).catch(
      // What was thrown is told by the span alone: the parking is shown to everyone.
      (): Result<unknown, Failure> =>
        err({
          code: "internal_error",
          detail: `Handling "${event.id}" failed in a way that was not expected`,
        }),
    );

  const untilHandledOrParked = async (event: RecordedEvent, commit: Commit, signal: AbortSignal) => {
    // It comes again while the floor is below it: only a replay takes it out.
    if (parked.holds(event.id)) return;
    const tries = failing.get(event.id) ?? { attempts: 0, counted: 0, notBefore: 0 };
    for (;;) {
      if (tries.notBefore > clock()) await sleep(tries.notBefore - clock(), signal);
      const result = await attempt(event, commit, signal);
      if (result.ok) break;
      failing.set(event.id, tries);
      tries.attempts++;
      // Infrastructure that is away is no reason to give an event up.
      if (result.error.code !== "unavailable") tries.counted++;
      if (tries.counted >= LIMITS.processAttempts) {
        parked.park(parkedEvent(event, commit, result.error, tries.attempts), commit);
        break;
      }
      tries.notBefore = clock() + backoffMs(tries.attempts, random);
    }
    failing.delete(event.id);
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
    const handle = async (commit: Commit, signal: AbortSignal) => {
      for (const event of commit.events) {
        if (process.handles.includes(event.type)) await untilHandledOrParked(event, commit, signal);
      }
      wentWell();
    };
    const commits = commitsUnderWay({ handle, progress, storeFloor, signal: outer });
    const { signal } = commits;
    try {
      // The slice before may have failed to.
      storeFloor(progress.floor());
      for (const commit of progress.unfinished()) commits.take(commit);
      const tail = log.tail({ after: progress.newest(), batchMax: LIMITS.projectionBatch, signal });
      for await (const batch of tail) {
        for (const commit of batch) {
          await commits.room();
          if (signal.aborted) return;
          progress.start(commit);
          commits.take(commit);
        }
      }
    } finally {
      await commits.stop();
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
          parked: parked.count(),
          ...(failure !== undefined && { failure }),
        };
      },
      parked: async (page) => parked.page(page),
      async replay({ id }) {
        const found = parked.find(id);
        if (!found)
          return err({ code: "not_found", detail: `Cannot replay "${id}": nothing of this id is parked` });
        const event = found.commit.events.find((candidate) => candidate.id === id);
        if (!event) throw new Error(`Cannot replay "${id}": its commit does not hold it`);
        const result = await attempt(event, found.commit);
        if (!result.ok) return replayFailed(id, result.error);
        parked.remove(id);
        return ok({ id });
      },
    },
  };
};

const replayFailed = (id: string, { code, detail }: Failure) =>
  code === "unavailable"
    ? err({ code, detail })
    : err({ code: "replay_failed", detail: `Replaying "${id}": ${code}, ${detail}` });
