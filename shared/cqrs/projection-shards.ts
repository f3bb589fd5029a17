/** A projection that is split among Actors, for those who speak to it as to one. */
import type { Commit } from "../events/event.ts";
import type { Failure } from "../http/errors.ts";
import { err, type Result } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import { fmix32 } from "./fmix32.ts";
import { fnv1a } from "./fnv1a.ts";
import type { Projection } from "./projection.ts";
import { declaredBuild, shardName } from "./projection-build.ts";
import type { ProjectionDetails, ProjectorMethods, ProjectorStatus } from "./projector-actor.ts";

/** Which of so many Actors a commit is for: all of one aggregate are for the same. */
export const shardOf = ({ aggregate }: Commit, shards: number): number =>
  shards === 1 ? 0 : fmix32(fnv1a(aggregate.id)) % shards;

/**
 * Whether a commit is for this one. That a data subject was forgotten is for all: its values may stand in any one's rows, and
 * each has to remove them after what it wrote itself.
 */
export const isForShard = (commit: Commit, shards: number, shard: number): boolean =>
  commit.aggregate.type === "subject" || shardOf(commit, shards) === shard;

/** The names of a projection's Actors. */
export const shardNames = (projection: Projection): string[] =>
  Array.from({ length: projection.shards ?? 1 }, (_, shard) => shardName(projection, shard));

/** What is asked of a projection from outside; its Actors have more to say among themselves. */
export type ProjectionMethods = Omit<ProjectorMethods, "stand" | "adopt" | "resume" | "finish">;

/**
 * The projections of a service by their names. What concerns rows is asked of all Actors of one, a rebuild of the first.
 * @param actors by the names of their shards
 * @throws RangeError for a projection that is declared as none can be
 */
export const projectionActors = (
  actors: Actors<ProjectorMethods>,
  projections: readonly Projection[],
): Actors<ProjectionMethods> => {
  for (const projection of projections) declaredBuild(projection);
  return {
    named(name) {
      const projection = projections.find((one) => one.name === name);
      if (!projection || (projection.shards ?? 1) === 1) return actors.named(name);
      const all = shardNames(projection).map((shard) => actors.named(shard));
      return asOne(name, all);
    },
  };
};

const asOne = (name: string, shards: readonly ProjectorMethods[]): ProjectionMethods => {
  const each = <T>(ask: (shard: ProjectorMethods) => Promise<T>): Promise<T[]> =>
    Promise.all(shards.map(ask));
  const first = (): ProjectorMethods => {
    const [shard] = shards;
    if (shard) return shard;
    throw new Error(`Asking the projection "${name}": expected it to have shards`);
  };
  const ofThatParked = async (
    what: string,
    id: string,
    ask: (shard: ProjectorMethods) => Promise<Result<{ id: string }, Failure>>,
  ): Promise<Result<{ id: string }, Failure>> => {
    for (const shard of shards) {
      const answer = await ask(shard);
      if (answer.ok || answer.error.code !== "not_found") return answer;
    }
    return err({ code: "not_found", detail: `Cannot ${what} "${id}": nothing of this id is parked` });
  };
  return {
    wake: async (input) => together(name, await each((shard) => shard.wake(input))),
    waitFor: async (input) => (await each((shard) => shard.waitFor(input))).every(Boolean),
    async details(input) {
      const all = await each((shard) => shard.details(input));
      return { ...detailsTogether(all), ...together(name, all) };
    },
    async parked(page) {
      const pages = await each((shard) => shard.parked(page));
      return pages
        .flat()
        .sort((one, other) => one.position - other.position)
        .slice(0, page.limit);
    },
    async parkedEvent(input) {
      const found = await each((shard) => shard.parkedEvent(input));
      return found.find((one) => one !== undefined);
    },
    replay: (input) => ofThatParked("replay", input.id, (shard) => shard.replay(input)),
    drop: (input) => ofThatParked("drop", input.id, (shard) => shard.drop(input)),
    rebuild: (input) => first().rebuild(input),
    cancelRebuild: (input) => first().cancelRebuild(input),
    dropOld: (input) => first().dropOld(input),
  };
};

/** As far as the last of them is, and what the first of them suffers from. */
const together = (name: string, all: readonly ProjectorStatus[]): ProjectorStatus => {
  const positions = all.map(({ position }) => position);
  const failing = all.find(({ failure }) => failure !== undefined);
  const outdated = all.find((one) => one.outdated)?.outdated;
  const parked = all.reduce((sum, one) => sum + (one.parked ?? 0), 0);
  return {
    projection: name,
    ...(positions.every((position) => position !== undefined) && { position: Math.min(...positions) }),
    ...(failing?.failure !== undefined && { failure: `${failing.projection}: ${failing.failure}` }),
    ...(failing?.stoppedAt && { stoppedAt: failing.stoppedAt }),
    ...(parked > 0 && { parked }),
    ...(outdated && { outdated }),
  };
};

const detailsTogether = (
  all: readonly ProjectionDetails[],
): Omit<ProjectionDetails, keyof ProjectorStatus> => {
  const behind = all.map(({ behindCommits }) => behindCommits);
  const [first] = all;
  return {
    version: first?.version ?? 1,
    shards: all.length,
    behindSeconds: Math.max(...all.map(({ behindSeconds }) => behindSeconds)),
    ...(behind.every((commits) => commits !== undefined) && { behindCommits: Math.max(...behind) }),
    ...(first?.rebuild && { rebuild: first.rebuild }),
  };
};
