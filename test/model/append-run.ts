/** One run of commands on one aggregate: real command Actors over the real log on a modelled server, and what must hold after. */
import { jetStreamEventLog } from "#nats/jetstream-event-log.ts";
import type { Aggregate } from "#shared/cqrs/aggregate.ts";
import { type CommandMethods, commandActor, type Execution } from "#shared/cqrs/command-actor.ts";
import type { DomainEvent } from "#shared/events/event.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { err, ok } from "#shared/result.ts";
import type { ActorContext } from "#shared/runtime/actor.ts";
import type { Choose } from "./choices.ts";
import type { StreamModel } from "./model-stream.ts";
import { type ModelClient, modelWorld, type World } from "./model-world.ts";

export interface AppendRun extends StreamModel {
  readonly cluster: boolean;
  readonly faults: number;
  /** Command ids, each list one client's in turn. Client n asks Actor n modulo `actors`. */
  readonly clients: readonly (readonly string[])[];
  /** More than one: two Actors for the same aggregate, as while the platform moves one. */
  readonly actors: number;
}

const COUNTER = { type: "counter", id: "a" };

/** Two events a command, so that a torn commit would show. */
const counter: Aggregate<number, object, DomainEvent> = {
  type: COUNTER.type,
  initialState: () => 0,
  evolve: (count) => count + 1,
  decide: (_, count) =>
    ok([
      { type: "Counted", data: { count: count + 1 } },
      { type: "Counted", data: { count: count + 2 } },
    ]),
};

/** An Actor whose own storage is lost at each start: the log alone has to do. */
const forgetful: ActorContext = {
  name: "shard",
  sql: { exec: () => [], transaction: (work) => work() },
  alarm: { set: async () => undefined, clear: async () => undefined },
  worked: () => undefined,
};

/** A client asks so often, then gives up: it does not know what became of its command. */
const ASKS_MAX = 4;

/** @throws Error naming what was lost, doubled, torn or told wrongly */
export const runAppends = async (choose: Choose, run: AppendRun): Promise<void> => {
  const world = modelWorld({ ...run, choose });
  const actors = Array.from({ length: run.actors }, () => startActor(world));
  const acknowledged = new Map<string, number>();

  const ask = async (slot: number, commandId: string): Promise<void> => {
    for (let asked = 0; asked < ASKS_MAX; asked++) {
      const execution = await actors[slot]?.execute(commandId);
      if (!execution?.ok) continue;
      const known = acknowledged.get(commandId);
      const { position } = execution.value;
      if (known !== undefined && known !== position)
        throw new Error(`"${commandId}" was told to be at ${known} and at ${position}`);
      acknowledged.set(commandId, position);
      return;
    }
  };

  const work = Promise.all(
    run.clients.map(async (commandIds, client) => {
      for (const commandId of commandIds) await ask(client % run.actors, commandId);
    }),
  );
  const crash = (slot: number) => () => {
    actors[slot]?.die();
    actors[slot] = startActor(world);
  };
  await world.run(work, () => actors.map((_, slot) => crash(slot)));
  expectConsistent(world, acknowledged);
};

const startActor = (world: World) => {
  const client = world.client();
  const died = Promise.withResolvers<Execution>();
  const { methods } = commandActor({
    context: forgetful,
    log: truthful(world, client),
    aggregates: { counter },
    clock: world.clock,
    random: () => 0.5,
    sleep: world.sleep,
  });
  return {
    execute: (commandId: string): Promise<Execution> => {
      const request: Parameters<CommandMethods["execute"]>[0] = { ...COUNTER, command: {}, commandId };
      return Promise.race([methods.execute(request), died.promise]);
    },
    die() {
      client.die();
      died.resolve(err({ code: "unavailable", detail: "The Actor died" }));
    },
  };
};

/** The log of one Actor; fails the run when it says of what stands there that it was not written. */
const truthful = (world: World, { connector }: ModelClient): EventLog => {
  const { clock, sleep, stream } = world;
  const log = jetStreamEventLog({ service: "model", connector, clock, sleep });
  const stands = (commandId: string) =>
    [...stream.messages, ...stream.inProcess()].some(
      ({ headers }) => headers.get("Skerry-Command-Id") === commandId,
    );
  return {
    ...log,
    async append(append, until) {
      const appended = await log.append(append, until);
      if (!appended.ok && appended.error.code === "conflict" && stands(append.commandId))
        throw new Error(
          `"${append.commandId}" was told not to be written, but stands in the log, or is about to`,
        );
      return appended;
    },
  };
};

const expectConsistent = ({ stream }: World, acknowledged: ReadonlyMap<string, number>): void => {
  const ids = stream.messages.map(({ headers }) => headers.get("Skerry-Command-Id"));
  const told = `the log has ${ids.join(", ") || "nothing"}`;
  if (new Set(ids).size !== ids.length) throw new Error(`A command was written twice: ${told}`);
  for (const [commandId, position] of acknowledged) {
    if (ids[position - 1] !== commandId)
      throw new Error(`"${commandId}" was acknowledged at ${position}, but ${told}`);
  }
  const versions = stream.messages.flatMap(({ data }) =>
    (
      JSON.parse(new TextDecoder().decode(data)) as { aggregateversion: number; data: { count: number } }[]
    ).map((event) => [event.aggregateversion, event.data.count]),
  );
  versions.forEach(([version, count], index) => {
    // What was decided must have been decided on all that came before.
    if (version !== index + 1 || count !== index + 1)
      throw new Error(`Event ${index + 1} has version ${version} and was decided as ${count}: ${told}`);
  });
};
