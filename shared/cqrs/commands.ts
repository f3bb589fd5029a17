/** How routes and processes reach the command Actors: the shard that an aggregate's id belongs to. */
import type { CommitMetadata } from "../events/commit-metadata.ts";
import type { AggregateRef, Commit, DomainEvent } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import type { Result } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { CommandMethods, CommandRequest, Execution, StateNow } from "./command-actor.ts";
import { fnv1a } from "./fnv1a.ts";
import { reachingActor } from "./reaching-actor.ts";

export interface KeyedCommand {
  readonly type: string;
  /** The command for the aggregate that the key stands for. */
  readonly command: (id: string) => object;
  /** Hash of the client's Idempotency-Key and of what it was used for (the operation, the aggregate). */
  readonly key: string;
  /** Hash of the request's content. */
  readonly fingerprint: string;
  /** Gives the aggregate's id: the same one each time, or a new one each time for a command that creates. */
  readonly id: string | (() => string);
  readonly metadata?: CommitMetadata | undefined;
}

export interface Commands {
  execute<Event extends DomainEvent>(request: CommandRequest): Promise<Execution<Event>>;
  /** Executes once per key: whoever repeats it gets the first outcome, on the first aggregate. */
  executeOnce<Event extends DomainEvent>(
    command: KeyedCommand,
  ): Promise<Result<{ id: string; execution: Execution<Event> }, Failure>>;
  history(aggregate: AggregateRef): Promise<Result<Commit[], Failure>>;
  /** With every acknowledged commit. */
  state(aggregate: AggregateRef): Promise<Result<StateNow, Failure>>;
  ready(): Promise<Result<{ position: number }, Failure>>;
}

/** New ids are drawn until one falls into the key's shard; with any sensible number of shards this never runs out. */
const ID_DRAWS_MAX = 10_000;

/** @param options.shards fixed for a service's lifetime: an aggregate must always meet the same writer */
export const commands = ({
  actors,
  shards,
}: {
  actors: Actors<CommandMethods>;
  shards: number;
}): Commands => {
  const shardOf = (id: string): number => fnv1a(id) % shards;
  const actorOf = (shard: number): CommandMethods => actors.named(`shard-${shard}`);

  const drawId = (id: KeyedCommand["id"], shard: number): string => {
    if (typeof id === "string") return id;
    for (let draw = 0; draw < ID_DRAWS_MAX; draw++) {
      const drawn = id();
      if (shardOf(drawn) === shard) return drawn;
    }
    throw new Error(
      `Cannot draw an id for shard ${shard} of ${shards}: none of ${ID_DRAWS_MAX} fell into it`,
    );
  };

  const execute = <Event extends DomainEvent>(request: CommandRequest) =>
    reachingActor(() => actorOf(shardOf(request.id)).execute(request)) as Promise<Execution<Event>>;

  return {
    execute,
    async executeOnce<Event extends DomainEvent>({
      type,
      command,
      key,
      fingerprint,
      id,
      metadata,
    }: KeyedCommand) {
      const shard = typeof id === "string" ? shardOf(id) : fnv1a(key) % shards;
      const drawn = drawId(id, shard);
      const reserved = await reachingActor(() => actorOf(shard).reserve({ key, fingerprint, id: drawn }));
      if (!reserved.ok) return reserved;
      const execution = await execute<Event>({
        type,
        id: reserved.value.id,
        command: command(reserved.value.id),
        commandId: `key-${key}-${reserved.value.reservedAt}`,
        key,
        ...(metadata && { metadata }),
        isNew: reserved.value.fresh && typeof id !== "string",
      });
      return { ok: true, value: { id: reserved.value.id, execution } };
    },
    history: (aggregate) => reachingActor(() => actorOf(shardOf(aggregate.id)).history(aggregate)),
    state: (aggregate) => reachingActor(() => actorOf(shardOf(aggregate.id)).state(aggregate)),
    ready: () => reachingActor(() => actorOf(0).ready()),
  };
};
