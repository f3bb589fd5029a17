/** Which instances of a major version are new enough for a request. */
import { subsetOf } from "#shared/resilience/balance/subset.ts";
import type { VersionRefusal } from "./asked-version.ts";
import type { WantedVersion } from "./version-text.ts";
import { minorOf } from "./version-text.ts";

export interface Versioned {
  /** The instance's semantic version. */
  readonly version: string;
}

interface Floor {
  readonly minor: number;
  readonly targets: readonly Versioned[];
}

/** By the list itself, which stays the same until the instances change. */
const floorsOf = new WeakMap<readonly Versioned[], readonly Floor[]>();

/**
 * Those whose minor is at least `minor`, none when all are older; the list itself when all are new enough. The same array for
 * the same list and the same result: there are as many as there are minors, whatever requests ask for.
 */
export const ofMinor = <Target extends Versioned>(
  targets: readonly Target[],
  minor: number,
): readonly Target[] => {
  if (minor === 0) return targets;
  let floors = floorsOf.get(targets);
  if (!floors) {
    floors = floorsIn(targets);
    floorsOf.set(targets, floors);
  }
  const floor = floors.find((each) => each.minor >= minor);
  return (floor?.targets ?? NONE) as readonly Target[];
};

/** The refusal of who asked for more than there is. */
export const noSuchMinor = (targets: readonly Versioned[], asked: WantedVersion): VersionRefusal => {
  const minors = (floorsOf.get(targets) ?? floorsIn(targets)).map(({ minor }) => `${asked.major}.${minor}`);
  return { code: "not_offered", asked: `${asked.major}.${asked.minor}`, offered: minors };
};

const NONE: readonly never[] = [];

/** One for each minor that there is, ascending. */
const floorsIn = (targets: readonly Versioned[]): readonly Floor[] => {
  const minors = [...new Set(targets.map(({ version }) => minorOf(version)))];
  return minors
    .sort((one, other) => one - other)
    .map((minor) => ({ minor, targets: subsetOf(targets, ({ version }) => minorOf(version) >= minor) }));
};
