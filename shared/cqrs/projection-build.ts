/** What a read model was built with, kept in the read store itself: whatever is restored, rows and this go together. */
import type { Projection } from "./projection.ts";
import type { Guard, ReadStore } from "./read-store.ts";

/** Actors of one projection at most: all of them stand still for each change of its build. */
export const SHARDS_MAX = 64;
/** Two builds fit into one number that JSON and every database keep exactly. */
const VERSION_MAX = 9_999;
const BUILDS = 2 ** 20;

/** One number for a version and a number of shards; 0 is none. */
export type Build = number;

/** - `standing`: the rows are of this build; `changing`: they are of one or the other, and nobody may touch them but who changes it. */
export type Built =
  | { readonly state: "standing"; readonly build: Build }
  | { readonly state: "changing"; readonly from: Build; readonly to: Build };

export const buildOf = (version: number, shards: number): Build => version * SHARDS_MAX + shards - 1;

export const versionOf = (build: Build): number => Math.floor(build / SHARDS_MAX);
export const shardsOf = (build: Build): number => (build % SHARDS_MAX) + 1;

/** @throws RangeError for a version or a number of shards that is none */
export const declaredBuild = ({ name, version = 1, shards = 1 }: Projection): Build => {
  const whole = (value: number, max: number) => Number.isSafeInteger(value) && value >= 1 && value <= max;
  if (!whole(version, VERSION_MAX)) {
    throw new RangeError(
      `Declaring version "${version}" of the projection "${name}": expected a whole number from 1 to ${VERSION_MAX}`,
    );
  }
  if (!whole(shards, SHARDS_MAX)) {
    throw new RangeError(
      `Declaring "${shards}" shards of the projection "${name}": expected a whole number from 1 to ${SHARDS_MAX}`,
    );
  }
  return buildOf(version, shards);
};

/** Of an Actor and of its checkpoint. */
export const shardName = (projection: Pick<Projection, "name" | "shards">, shard: number): string =>
  (projection.shards ?? 1) === 1 ? projection.name : `${projection.name}#${shard}`;

/** The names of all Actors of a build, whatever is declared now. */
export const namesOfBuild = ({ name }: Projection, build: Build): string[] => {
  const shards = shardsOf(build);
  return Array.from({ length: shards }, (_, shard) => shardName({ name, shards }, shard));
};

/** What every read model was built with before this was written down. */
const FIRST = buildOf(1, 1);

export interface ProjectionBuild {
  read(): Promise<Built>;
  /** @returns false when it was not `from` any more, or somebody else rebuilds */
  replace(from: Built, to: Built, guards?: readonly Guard[]): Promise<boolean>;
  /** That it still is this. */
  guard(built: Built): Guard;
}

/** A register of the read store: a checkpoint whose number is no position. Negative while the build changes. */
export const projectionBuild = (store: ReadStore, projection: Projection): ProjectionBuild => {
  const register = `${projection.name}!build`;
  const declared = declaredBuild(projection);
  const nothingBuiltYet = async (): Promise<boolean> => {
    const names = new Set([projection.name, shardName(projection, 0)]);
    const positions = await Promise.all([...names].map((name) => store.checkpoint(name)));
    return positions.every((position) => position === 0);
  };
  const write = async (from: number, to: number, guards: readonly Guard[] = []) =>
    (await store.apply({ projection: register, from, to, changes: [], guards })) === "applied";

  return {
    async read() {
      const stored = await store.checkpoint(register);
      if (stored !== 0) return decoded(stored);
      // Written down before any row is: what was never written can be guarded by nobody.
      const build = declared === FIRST || !(await nothingBuiltYet()) ? FIRST : declared;
      if (await write(0, build)) return { state: "standing", build };
      return decoded(await store.checkpoint(register));
    },
    replace: (from, to, guards) => write(encoded(from), encoded(to), guards),
    guard: (built) => ({ name: register, at: encoded(built) }),
  };
};

const encoded = (built: Built): number =>
  built.state === "standing" ? built.build : -(built.to * BUILDS + built.from);

const decoded = (number: number): Built =>
  number > 0
    ? { state: "standing", build: number }
    : { state: "changing", from: -number % BUILDS, to: Math.floor(-number / BUILDS) };
