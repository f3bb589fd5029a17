/** Executes commands on a shard of a service's aggregates: one writer per aggregate, one conditional append per command. */
import type { AggregateRef, Commit, DomainEvent, RecordedEvent } from "../events/event.ts";
import { type Append, type EventLog, LogUnavailable } from "../events/event-log.ts";
import type { Failure } from "../http/errors.ts";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import { injectTrace } from "../telemetry/propagation.ts";
import type { Aggregate } from "./aggregate.ts";
import { emptyFold, type Folded, foldCommits, foldedCache } from "./folded-cache.ts";
import { idempotencyKeys, type KeyHolder, type KeyRequest } from "./idempotency-keys.ts";
import { keyedMutex } from "./mutex.ts";

export interface CommandRequest extends AggregateRef {
  readonly command: object;
  /** The same id on the same aggregate is one command, however often it comes. */
  readonly commandId: string;
  /** True when the id was just made: saves reading a history that cannot be there. A wrong guess costs a conflict, no more. */
  readonly isNew?: boolean;
  /** A key that `reserve` answered for; its outcome is remembered with it. */
  readonly key?: string;
}

export interface Executed<Event extends DomainEvent = DomainEvent> {
  /** Of the commit; of the aggregate's last one when the command changed nothing. */
  readonly position: number;
  readonly events: readonly RecordedEvent<Event>[];
  /** True when an earlier request had already executed the command. */
  readonly duplicate: boolean;
}

export type Execution<Event extends DomainEvent = DomainEvent> = Result<Executed<Event>, Failure>;

export type CommandMethods = {
  execute(request: CommandRequest): Promise<Execution>;
  reserve(request: KeyRequest): Promise<Result<KeyHolder, Failure>>;
  history(aggregate: AggregateRef): Promise<Result<Commit[], Failure>>;
  /** Whether the log can be reached. */
  ready(): Promise<Result<{ position: number }, Failure>>;
};

export type Aggregates = Readonly<Record<string, Aggregate<unknown, object, DomainEvent>>>;

/** One command while it is served. */
interface Turn {
  readonly request: CommandRequest;
  readonly aggregate: Aggregate<unknown, object, DomainEvent>;
  /** Epoch ms by which the command is answered, whatever it then still waits for. */
  readonly until: number;
}

export const commandActor = ({
  context,
  log,
  aggregates,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  log: EventLog;
  /** By their `type`. */
  aggregates: Aggregates;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<CommandMethods> => {
  const exclusively = keyedMutex();
  const cache = foldedCache();
  const keys = idempotencyKeys(context.sql, clock);

  const fold = async ({ request, aggregate, until }: Turn) => {
    const cacheKey = keyOf(request);
    const known = cache.get(cacheKey);
    if (known) return known;
    const commits = request.isNew ? [] : await log.read(request, { until });
    const folded = foldCommits(aggregate, emptyFold(aggregate), commits);
    if (!request.isNew) cache.set(cacheKey, folded);
    return folded;
  };

  const catchUp = async ({ request, aggregate, until }: Turn, folded: Folded) => {
    const commits = await log.read(request, { after: folded.position, until });
    const fresh = foldCommits(aggregate, folded, commits);
    cache.set(keyOf(request), fresh);
    return fresh;
  };

  const outcomeAt = async ({ request, until }: Turn, position: number): Promise<Execution> => {
    const [commit] = await log.read(request, { after: position - 1, most: 1, until });
    if (commit?.position !== position) {
      throw new Error(`Cannot find the commit of command "${request.commandId}" at position ${position}`);
    }
    return ok({ position, events: commit.events, duplicate: true });
  };

  /** What an earlier request with the same command id did, or undefined when none is known of. */
  const earlierOutcome = async (turn: Turn, folded: Folded): Promise<Execution | undefined> => {
    const { request } = turn;
    const position =
      folded.commands.get(request.commandId) ?? (request.key ? keys.settledAt(request.key) : undefined);
    return position === undefined ? undefined : outcomeAt(turn, position);
  };

  const decideAndAppend = async (turn: Turn): Promise<Execution> => {
    const { request, aggregate, until } = turn;
    let folded = await fold(turn);
    for (let decision = 1; decision <= LIMITS.decisionsMax; decision++) {
      const earlier = await earlierOutcome(turn, folded);
      if (earlier) return earlier;
      const decided = aggregate.decide(request.command, folded.state);
      if (!decided.ok) return decided;
      if (decided.value.length === 0) return ok({ position: folded.position, events: [], duplicate: false });

      const append: Append = {
        aggregate: { type: request.type, id: request.id },
        expectedPosition: folded.position,
        expectedVersion: folded.version,
        commandId: request.commandId,
        at: clock(),
        events: decided.value,
        trace: injectTrace(),
      };
      const appended = await log.append(append, until);
      if (appended.ok) {
        const { position, duplicate } = appended.value;
        if (duplicate) {
          await catchUp(turn, folded);
          return outcomeAt(turn, position);
        }
        const commit = commitOf(append, position);
        cache.set(keyOf(request), foldCommits(aggregate, folded, [commit]));
        return ok({ position, events: commit.events, duplicate: false });
      }
      if (appended.error.code !== "conflict") return err(failureOf(appended.error));
      if (decision > 1) await sleep(random() * 10 * decision);
      folded = await catchUp(turn, folded);
    }
    return err({
      code: "conflict",
      detail: `Tried ${LIMITS.decisionsMax} times to change ${request.type} "${request.id}": others came first each time`,
    });
  };

  const execute: CommandMethods["execute"] = async (request) => {
    const aggregate = aggregates[request.type];
    if (!aggregate) throw new Error(`Cannot execute a command on "${request.type}": no such aggregate`);
    const askedAt = clock();
    return exclusively(keyOf(request), async () => {
      if (clock() - askedAt > LIMITS.commandQueueMs)
        return err(unavailable("Others were served first for too long"));
      try {
        const execution = await decideAndAppend({ request, aggregate, until: askedAt + LIMITS.commandMs });
        if (!execution.ok && execution.error.code === "unavailable") cache.drop(keyOf(request));
        if (execution.ok && request.key && execution.value.events.length > 0)
          keys.settle(request.key, execution.value.position);
        return execution;
      } catch (error) {
        cache.drop(keyOf(request));
        if (error instanceof LogUnavailable) return err(unavailable(error.message));
        throw error;
      }
    });
  };

  return {
    methods: {
      execute,
      reserve: async (request) => keys.reserve(request),
      history: (aggregate) => orUnavailable(() => log.read(aggregate)),
      ready: () => orUnavailable(async () => ({ position: await log.lastPosition() })),
    },
  };
};

const keyOf = ({ type, id }: AggregateRef): string => `${type}/${id}`;

const commitOf = (append: Append, position: number): Commit => ({
  aggregate: append.aggregate,
  position,
  commandId: append.commandId,
  trace: append.trace,
  events: append.events.map((event, index) => ({
    ...event,
    id: `${append.commandId}/${index}`,
    time: new Date(append.at).toISOString(),
    version: append.expectedVersion + index + 1,
  })),
});

const unavailable = (detail: string): Failure => ({ code: "unavailable", detail });

const failureOf = (refusal: { code: "unavailable" | "too_large"; detail: string }): Failure =>
  refusal.code === "too_large"
    ? { code: "body_too_large", detail: refusal.detail }
    : unavailable(refusal.detail);

const orUnavailable = async <T>(work: () => Promise<T>): Promise<Result<T, Failure>> => {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof LogUnavailable) return err(unavailable(error.message));
    throw error;
  }
};
