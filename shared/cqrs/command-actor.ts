/** Executes commands on a shard of a service's aggregates: one writer per aggregate, one conditional append per command. */
import type { CommitMetadata } from "../events/commit-metadata.ts";
import { committed } from "../events/committed.ts";
import type { AggregateRef, Commit, DomainEvent, RecordedEvent } from "../events/event.ts";
import { type Append, type AppendRefusal, type EventLog, LogUnavailable } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import { injectTrace } from "../telemetry/propagation.ts";
import type { Aggregate } from "./aggregate.ts";
import type { Folded } from "./folded-cache.ts";
import { type FoldBounds, foldedStates, keyOf, type Wanted } from "./folded-states.ts";
import { idempotencyKeys, type KeyHolder, type KeyRequest } from "./idempotency-keys.ts";
import { keyedMutex } from "./mutex.ts";
import { sharedReads } from "./shared-reads.ts";
import { jsonOf, type SnapshotLog } from "./snapshot.ts";
import { turns } from "./turns.ts";

export interface CommandRequest extends AggregateRef {
  readonly command: object;
  /** The same id on the same aggregate is one command, however often it comes. */
  readonly commandId: string;
  /** True when the id was just made: saves reading a history that cannot be there. A wrong guess costs a conflict, no more. */
  readonly isNew?: boolean;
  /** A key that `reserve` answered for; its outcome is remembered with it. */
  readonly key?: string;
  /** Written with what the command decides; a command that repeats another one's id leaves the first one's. */
  readonly metadata?: CommitMetadata;
}

export interface Executed<Event extends DomainEvent = DomainEvent> {
  /** Of the commit; of the aggregate's last one when the command changed nothing. */
  readonly position: number;
  readonly events: readonly RecordedEvent<Event>[];
  /** True when an earlier request had already executed the command. */
  readonly duplicate: boolean;
}

export type Execution<Event extends DomainEvent = DomainEvent> = Result<Executed<Event>, Failure>;

export interface StateNow {
  /** Of the last commit, and of the last event; 0 for an aggregate without history. */
  readonly position: number;
  readonly version: number;
  /** The state as its `snapshot` encodes it; null when it is not JSON. */
  readonly json: string | null;
  /** The `snapshot.version` that encoded it; 0 without one. */
  readonly schema: number;
}

export type CommandMethods = {
  execute(request: CommandRequest): Promise<Execution>;
  reserve(request: KeyRequest): Promise<Result<KeyHolder, Failure>>;
  history(aggregate: AggregateRef): Promise<Result<Commit[], Failure>>;
  /** With every acknowledged commit. */
  state(aggregate: AggregateRef): Promise<Result<StateNow, Failure>>;
  /** Whether the log can be reached. */
  ready(): Promise<Result<{ position: number }, Failure>>;
};

export type Aggregates = Readonly<Record<string, Aggregate<unknown, object, DomainEvent>>>;

/** One command while it is served. `until`: by then it is answered, whatever it then still waits for. */
interface Turn extends Wanted {
  readonly request: CommandRequest;
  /** Whether what was done before is looked at in this turn. */
  readonly looks: "now" | "later";
}

/** An earlier request with the same command id has done it, at this position. */
interface DoneBefore {
  readonly doneAt: number;
}

export const commandActor = ({
  context,
  log,
  shown = log,
  kept = (commit) => commit,
  aggregates,
  snapshotLog,
  clock,
  random,
  sleep,
  bounds = LIMITS,
}: {
  context: ActorContext;
  /** What states are folded from: they stay in memory and in snapshots, so nothing personal may be read from it. */
  log: EventLog;
  /** What is read to be shown and not kept. */
  shown?: Pick<EventLog, "read">;
  /** A commit that was just written, as `log` reads it. */
  kept?: (commit: Commit) => Commit;
  /** By their `type`. */
  aggregates: Aggregates;
  /** For the aggregates whose snapshots are to stand `inLog`. */
  snapshotLog?: SnapshotLog | undefined;
  clock: Clock;
  random: Random;
  sleep: Sleep;
  bounds?: FoldBounds;
}): ActorLogic<CommandMethods> => {
  const exclusively = keyedMutex();
  const states = foldedStates({ context, log, snapshotLog, clock, sleep, exclusively, bounds });
  const keys = idempotencyKeys(context.sql, clock);
  const shareRead = sharedReads<Commit | undefined>();
  const inTurn = turns({ aggregates, exclusively, clock, done: states.keepSoon });

  /**
   * Undefined when another commit stands there, or none.
   * @throws LogUnavailable when it was seen there: a new leader may not show it yet, and to decide again would do it twice
   */
  const outcomeAt = async (
    { ref, request, until }: Turn,
    position: number,
    seenTo = 0,
  ): Promise<Execution | undefined> => {
    const [commit] = await shown.read(ref, { after: position - 1, most: 1, until });
    if (!commit && position <= seenTo) {
      states.drop(ref);
      throw new LogUnavailable(`The log does not show what it has at position ${position}`);
    }
    if (commit?.position !== position || commit.commandId !== request.commandId) return undefined;
    return ok({ position, events: commit.events, duplicate: true });
  };

  /** Where an earlier request with the same command id did it, or undefined when none is known of. */
  const earlierPosition = ({ ref, request }: Turn, folded: Folded): number | undefined =>
    states.positionOf(ref, folded, request.commandId) ??
    (request.key ? keys.settledAt(request.key) : undefined);

  /** Others came first. When the log then has nothing new, it is not the one that was folded. */
  const afterConflict = async (turn: Turn, folded: Folded, decision: number): Promise<Folded> => {
    const fresh = await states.catchUp(turn, folded);
    return fresh.position === folded.position && decision === RELOAD_AFTER ? states.reload(turn) : fresh;
  };

  const decideAndAppend = async (turn: Turn): Promise<Execution | DoneBefore> => {
    const { ref, request, aggregate, until } = turn;
    let folded = await states.load(turn, request.isNew);
    for (let decision = 1; decision <= LIMITS.decisionsMax; decision++) {
      const doneAt = earlierPosition(turn, folded);
      if (doneAt !== undefined && turn.looks === "later") return { doneAt };
      const earlier = doneAt === undefined ? undefined : await outcomeAt(turn, doneAt, folded.position);
      if (earlier) return earlier;
      const decided = aggregate.decide(request.command, folded.state);
      if (!decided.ok) return decided;
      if (decided.value.length === 0) return ok({ position: folded.position, events: [], duplicate: false });

      const append: Append = {
        aggregate: ref,
        expectedPosition: folded.position,
        expectedVersion: folded.version,
        commandId: request.commandId,
        at: clock(),
        events: decided.value,
        trace: injectTrace(),
        ...(request.metadata && { metadata: request.metadata }),
      };
      const appended = await log.append(append, until);
      if (appended.ok) {
        const { position, duplicate } = appended.value;
        if (duplicate) {
          await states.catchUp(turn, folded);
          return (await outcomeAt(turn, position, position)) ?? notFound(request, position);
        }
        const commit = committed(append, position);
        states.add(turn, folded, kept(commit));
        return ok({ position, events: commit.events, duplicate: false });
      }
      if (appended.error.code !== "conflict") return err(failureOf(appended.error));
      if (decision > 1) await sleep(random() * 10 * decision);
      folded = await afterConflict(turn, folded, decision);
    }
    return err({
      code: "conflict",
      detail: `Tried ${LIMITS.decisionsMax} times to change ${request.type} "${request.id}": others came first each time`,
    });
  };

  const answered = async (turn: Turn): Promise<Execution | DoneBefore> => {
    const { ref, request } = turn;
    try {
      const execution = await decideAndAppend(turn);
      if ("doneAt" in execution) return execution;
      if (!execution.ok && execution.error.code === "unavailable") states.doubt(ref);
      if (execution.ok && request.key && execution.value.events.length > 0)
        keys.settle(request.key, execution.value.position);
      return execution;
    } catch (error) {
      if (!(error instanceof LogUnavailable)) {
        states.drop(ref);
        throw error;
      }
      states.doubt(ref);
      return err(unavailable(error.message));
    }
  };

  const commitAt = (ref: AggregateRef, position: number, until: number): Promise<Commit | undefined> =>
    shareRead(`${keyOf(ref)} ${position}`, async () => {
      const [commit] = await shown.read(ref, { after: position - 1, most: 1, until });
      return commit;
    });

  /**
   * What was done before does not change any more, so it is read when its aggregate is free for others again. What is not found
   * there is looked for once more in a turn, where it is known what the log has to have.
   */
  const executed = async (request: CommandRequest): Promise<Execution> => {
    const askedAt = clock();
    // Who has waited for the very commit that it repeats needs no time but for reading it.
    const late = (ref: AggregateRef): DoneBefore | undefined => {
      const doneAt = states.knownPositionOf(ref, request.commandId);
      return doneAt === undefined ? undefined : { doneAt };
    };
    const inTurnTo = (looks: Turn["looks"]) =>
      inTurn<Execution | DoneBefore>(request, (wanted) => answered({ ...wanted, request, looks }), {
        askedAt,
        ...(looks === "later" && { late }),
      });
    const asked = await inTurnTo("later");
    if (!("doneAt" in asked)) return asked;
    const { doneAt } = asked;
    const found = await orUnavailable(() => commitAt(request, doneAt, askedAt + LIMITS.commandMs));
    if (!found.ok) return found;
    if (found.value?.position === doneAt && found.value.commandId === request.commandId) {
      if (request.key) keys.settle(request.key, doneAt);
      return ok({ position: doneAt, events: found.value.events, duplicate: true });
    }
    const again = await inTurnTo("now");
    if ("doneAt" in again) throw new Error(`Cannot leave the command "${request.commandId}" for later twice`);
    return again;
  };

  const stateNow = async (wanted: Wanted): Promise<StateNow> => {
    const { state, position, version } = await states.catchUp(wanted, await states.load(wanted, true));
    const { snapshot } = wanted.aggregate;
    return { position, version, json: jsonOf(snapshot, state) ?? null, schema: snapshot?.version ?? 0 };
  };

  return {
    methods: {
      execute: executed,
      state: async (aggregate) => inTurn(aggregate, (wanted) => orUnavailable(() => stateNow(wanted))),
      reserve: async (request) => keys.reserve(request),
      history: (aggregate) => orUnavailable(() => shown.read(aggregate)),
      ready: () => orUnavailable(async () => ({ position: await log.lastPosition() })),
    },
  };
};

/** Decisions after which a conflict without news is looked into: a cluster tells of some commits before it shows them. */
const RELOAD_AFTER = 3;

const notFound = ({ commandId }: CommandRequest, position: number): never => {
  throw new Error(`Cannot find the commit of command "${commandId}" at position ${position}`);
};

const unavailable = (detail: string): Failure => ({ code: "unavailable", detail });

const failureOf = ({ code, detail }: Exclude<AppendRefusal, { code: "conflict" }>): Failure => {
  switch (code) {
    case "too_large":
      return { code: "body_too_large", detail };
    case "forgotten":
      return { code: "subject_forgotten", detail };
    case "unavailable":
      return unavailable(detail);
  }
};

const orUnavailable = async <T>(work: () => Promise<T>): Promise<Result<T, Failure>> => {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof LogUnavailable) return err(unavailable(error.message));
    throw error;
  }
};
