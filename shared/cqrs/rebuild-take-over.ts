/**
 * The moment in which a filled copy becomes the read model. The read store's word "changing" comes first: from then on no
 * Actor touches rows, whoever dies. Then all checkpoints are brought to one position and the tables renamed.
 */
import type { Projection } from "./projection.ts";
import {
  type Build,
  type Built,
  declaredBuild,
  type ProjectionBuild,
  shardName,
} from "./projection-build.ts";
import type { Parked, ProjectionParking } from "./projection-parking.ts";
import type { ReadStore } from "./read-store.ts";
import type { ProjectionShard } from "./rebuild.ts";
import type { RebuildCopy } from "./rebuild-copy.ts";

export interface TakeOverOptions {
  readonly projection: Projection;
  readonly store: ReadStore;
  readonly build: ProjectionBuild;
  readonly to: Build;
  readonly keep: boolean;
  readonly copy: RebuildCopy;
  readonly copyParked: ProjectionParking;
  readonly shards: readonly ProjectionShard[];
  readonly concerns: (parked: Parked, shard: number) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Also goes on with one that was begun. When it resolves, the copy is the read model; or the standing one is again, where the
 * code that could fill the copy's rest is gone.
 */
export const takeOver = async (options: TakeOverOptions): Promise<void> => {
  const { build, to, copy, shards } = options;
  const found = await build.read();
  const changing: Built = found.state === "changing" ? found : { state: "changing", from: found.build, to };
  await replace(build, found, changing);
  const positions = await Promise.all(shards.map((shard) => shard.stand({})));
  const taken = await takenPlace(options, positions);
  if (taken) await adoptParked(options);
  await replace(build, changing, { state: "standing", build: taken ? to : changing.from });
  await copy.drop();
  await Promise.all(shards.map((shard) => shard.resume({})));
};

/** @returns false when it cannot be done by this code, and the standing rows are as they were */
const takenPlace = async (options: TakeOverOptions, positions: readonly number[]): Promise<boolean> => {
  const { projection, store, to, keep, copy, signal } = options;
  const filled = await copy.position();
  // A copy that is renamed has no checkpoint any more, and none begins to take over before it has one.
  if (filled === 0) return true;
  const at = Math.max(filled, ...positions);
  if (filled < at) {
    if (to !== declaredBuild(projection)) return false;
    await copy.fillTo(at, signal);
  }
  for (const [shard, position] of positions.entries()) {
    if (position === at) continue;
    // Nobody reads by it until the tables have changed, and the rows that follow are the copy's.
    const checkpoint = shardName(projection, shard);
    const lifted = await store.apply({ projection: checkpoint, from: position, to: at, changes: [] });
    if (lifted === "moved") throw new Error(`Bringing "${checkpoint}" from ${position} to ${at}: it moved`);
  }
  const standing = shardName(projection, 0);
  if ((await copy.takeOver({ standing, at, keep })) === "moved") {
    throw new Error(`Taking the place of "${standing}" at ${at}: a checkpoint is not there`);
  }
  return true;
};

const adoptParked = async ({ shards, copyParked, concerns }: TakeOverOptions) => {
  const all = copyParked.all();
  for (const [number, shard] of shards.entries()) {
    await shard.adopt({ parked: all.filter((parked) => concerns(parked, number)) });
  }
};

const replace = async (build: ProjectionBuild, from: Built, to: Built) => {
  if (from === to || (await build.replace(from, to))) return;
  throw new Error("Changing what the read model is built with: somebody else changed it");
};
