/** The Actors of one projection over one log and one read store, for unit tests: they die and come again at will. */
import type { Projection } from "#shared/cqrs/projection.ts";
import { shardName } from "#shared/cqrs/projection-build.ts";
import { projectionActors } from "#shared/cqrs/projection-shards.ts";
import { type ProjectorMethods, projectorActor } from "#shared/cqrs/projector-actor.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import type { EventLog } from "#shared/events/event-log.ts";
import { type TestActorContext, testActorContext } from "./actor-context.ts";
import { type VirtualTime, virtualTime } from "./virtual-time.ts";

export interface TestProjectors {
  readonly time: VirtualTime;
  /** All Actors, as whoever asks the projection has them. */
  readonly projection: ReturnType<ReturnType<typeof projectionActors>["named"]>;
  /** Ends all Actors in the middle of whatever they do; what they wrote down stays. */
  die(): void;
  /** As after a deployment: the Actors that come next are of this projection. */
  successor(next?: Projection, over?: Partial<Pick<TestProjectorsOptions, "log" | "store">>): TestProjectors;
}

export interface TestProjectorsOptions {
  readonly projection: Projection;
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly time?: VirtualTime;
  readonly contexts?: ReadonlyMap<string, TestActorContext>;
}

/** As a stub, which does not need its Actor before it is called. */
const lazily = (actor: () => ProjectorMethods): ProjectorMethods =>
  new Proxy({} as ProjectorMethods, {
    get: (_, method: keyof ProjectorMethods) => (input: never) => actor()[method](input),
  });

const forEver = () => new Promise<never>(() => {});

export const testProjectors = (options: TestProjectorsOptions): TestProjectors => {
  const { projection, log, store, time = virtualTime() } = options;
  // Also of Actors that nobody speaks to any more: another deployment may.
  const contexts = new Map(options.contexts);
  const methods = new Map<string, ProjectorMethods>();
  let alive = true;

  /** Who is dead asks nothing any more and hears no answer. */
  const living = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => (input: unknown) => {
        const call = Reflect.get(target, name) as (input: unknown) => unknown;
        if (name === "tail") return call(input);
        if (!alive) return forEver();
        return Promise.resolve(call(input)).then(
          (answer) => (alive ? answer : forEver()),
          (error) => (alive ? Promise.reject(error) : forEver()),
        );
      },
    });

  const actor = (name: string): ProjectorMethods => {
    const known = methods.get(name);
    if (known) return known;
    const context = options.contexts?.get(name)?.successor() ?? testActorContext({ name, time });
    const logic = projectorActor({
      context,
      projection,
      source: "orders",
      log: living(log),
      store: living(store),
      peers: { named: (peer) => lazily(() => actor(peer)) },
      clock: time.clock,
      random: () => 0.5,
      sleep: context.sleep,
    });
    context.onAlarm(logic.alarm);
    contexts.set(name, context);
    methods.set(name, logic.methods);
    return logic.methods;
  };
  for (let shard = 0; shard < (projection.shards ?? 1); shard++) actor(shardName(projection, shard));

  const die = () => {
    alive = false;
    for (const context of contexts.values()) context.die();
  };
  return {
    time,
    projection: projectionActors({ named: actor }, [projection]).named(projection.name),
    die,
    successor(next = projection, over = {}) {
      die();
      return testProjectors({ ...options, ...over, time, projection: next, contexts });
    },
  };
};
