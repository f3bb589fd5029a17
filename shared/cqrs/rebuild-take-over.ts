/**
 * The moment in which a filled copy becomes the read model. The read store's word "changing" comes first: from then on no
 * row is written, whoever is still at it. Then all checkpoints are brought to one position and the tables renamed.
 */
import type { Projection } from "./projection.ts";
import {
  type Build,
  type Built,
  declaredBuild,
  namesOfBuild,
  type ProjectionBuild,
} from "./projection-build.ts";
import type { Parked, ProjectionParking } from "./projection-parking.ts";
import type { ReadStore } from "./read-store.ts";
import type { ProjectionShard } from "./rebuild.ts";
import type { RebuildCopy } from "./rebuild-copy.ts";
import type { RebuildFence } from "./rebuild-fence.ts";

export interface TakeOverOptions {
  readonly projection: Projection;
  readonly store: ReadStore;
  readonly build: ProjectionBuild;
  readonly to: Build;
  readonly keep: boolean;
  readonly copy: RebuildCopy;
  readonly fence: RebuildFence;
  readonly copyParked: ProjectionParking;
  /** The Actors of `to`, by their number. */
  readonly shards: readonly ProjectionShard[];
  /** Whether a commit is this one's. */
  readonly concerns: (parked: Parked, shard: number) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Also goes on with one that was begun.
 * @returns "taken" when the copy is the read model now; "given up" where the code that could fill the copy's rest is gone, and
 * the standing one is again
 */
export const takeOver = async (options: TakeOverOptions): Promise<"taken" | "given up"> => {
  const { build, to, fence, copy, shards } = options;
  const found = await build.read();
  const changing: Built = found.state === "changing" ? found : { state: "changing", from: found.build, to };
  await replace(options, found, changing);
  // Rows that are on their way since before that, and statements of whoever began this, are not made any more.
  await fence.renew();
  await Promise.all(shards.map((shard) => shard.stand({})));
  const taken = await takenPlace(options, changing);
  if (taken) await adoptParked(options);
  await replace(options, changing, { state: "standing", build: taken ? to : changing.from });
  await copy.drop();
  await Promise.all(shards.map((shard) => shard.resume({})));
  return taken ? "taken" : "given up";
};

/** @returns false when it cannot be done by this code, and the standing rows are as they were */
const takenPlace = async (
  options: TakeOverOptions,
  changing: Built & { readonly state: "changing" },
): Promise<boolean> => {
  const { projection, store, build, to, keep, fence, copy, signal } = options;
  const filled = await copy.position();
  // A copy that is renamed has no checkpoint any more, and none begins to take over before it has one.
  if (filled === 0) return true;
  const next = namesOfBuild(projection, to);
  const all = [...new Set([...next, ...namesOfBuild(projection, changing.from)])];
  const standing = await Promise.all(all.map(async (name) => ({ name, at: await store.checkpoint(name) })));
  const at = Math.max(filled, ...standing.map((checkpoint) => checkpoint.at));
  if (filled < at) {
    if (to !== declaredBuild(projection)) return false;
    await copy.fillTo(at, signal);
  }
  const guards = () => [...fence.guards(), build.guard(changing)];
  for (const { name, at: from } of standing) {
    if (from === at || !next.includes(name)) continue;
    // Nobody reads by it until the tables have changed, and the rows that follow are the copy's.
    const lifted = await store.apply({ projection: name, from, to: at, changes: [], guards: guards() });
    expectUnmoved(options, lifted, `Bringing "${name}" from ${from} to ${at}`);
  }
  const held = [...next.map((name) => ({ name, at })), build.guard(changing)];
  await copy.takeOver({ standing: held, at, keep });
  return true;
};

const adoptParked = async ({ shards, copyParked, concerns }: TakeOverOptions) => {
  const all = copyParked.all();
  for (const [number, shard] of shards.entries()) {
    await shard.adopt({ parked: all.filter((parked) => concerns(parked, number)) });
  }
};

const replace = async (options: TakeOverOptions, from: Built, to: Built) => {
  if (from === to) return;
  const { build, fence } = options;
  const replaced = await build.replace(from, to, fence.guards());
  expectUnmoved(options, replaced ? "applied" : "moved", "Changing what the read model is built with");
};

const expectUnmoved = ({ fence }: TakeOverOptions, answer: "applied" | "moved", attempt: string) => {
  if (answer === "applied") return;
  fence.lose();
  throw new Error(`${attempt}: somebody else has changed it`);
};
