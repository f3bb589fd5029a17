/** How far a process has come when events are finished out of order: everything up to its floor is done. */
import type { Commit } from "../events/event.ts";

/** What is stored of it: everything up to `newest` is done, but for what is open. */
export interface Place {
  readonly floor: number;
  readonly newest: number;
  /** Above the floor: position of a commit, then places of its events that are not done. */
  readonly open: readonly (readonly number[])[];
}

export interface Unfinished {
  readonly commit: Commit;
  readonly parts: readonly number[];
}

export interface Progress {
  /**
   * Takes a commit that has come.
   * @param parts places of the events that concern the process
   * @returns those of them that are not done yet
   */
  start(commit: Commit, parts: readonly number[]): readonly number[];
  /** Whether it was started and is not finished. */
  isOpen(position: number, part: number): boolean;
  /** What is not open is done already. */
  finish(position: number, part: number): void;
  /** Every commit up to here is finished. */
  floor(): number;
  /** Position of the last commit that was started. */
  newest(): number;
  /** What was started and not finished, in the log's order. */
  unfinished(): Unfinished[];
  /** The oldest of that. */
  oldest(): Commit | undefined;
  place(): Place;
}

/** A process that has done everything up to a position, and nothing else. */
export const placeAt = (position: number): Place => ({ floor: position, newest: position, open: [] });

export const progressFrom = (stored: Place): Progress => {
  let newest = stored.floor;
  /** What was open when the place was stored, and has not come again yet; in the log's order. */
  const remembered = new Map(stored.open.map(([position = 0, ...parts]) => [position, parts]));
  /** Insertion order is the log's order. */
  const unfinished = new Map<number, { readonly commit: Commit; readonly parts: number[] }>();

  const openOf = (position: number, parts: readonly number[]): readonly number[] => {
    if (position > stored.newest) return parts;
    const open = remembered.get(position) ?? [];
    remembered.delete(position);
    return parts.filter((part) => open.includes(part));
  };
  const oldest = () => {
    for (const { commit } of unfinished.values()) return commit;
    return undefined;
  };
  const floor = () => (oldest()?.position ?? newest + 1) - 1;

  return {
    start(commit, parts) {
      const open = openOf(commit.position, parts);
      newest = commit.position;
      if (open.length > 0) unfinished.set(commit.position, { commit, parts: [...open] });
      return open;
    },
    isOpen: (position, part) => unfinished.get(position)?.parts.includes(part) ?? false,
    finish(position, part) {
      const parts = unfinished.get(position)?.parts;
      const index = parts?.indexOf(part) ?? -1;
      if (!parts || index < 0) return;
      if (parts.length === 1) unfinished.delete(position);
      else parts.splice(index, 1);
    },
    floor,
    newest: () => newest,
    oldest,
    unfinished: () => [...unfinished.values()].map(({ commit, parts }) => ({ commit, parts: [...parts] })),
    place: () => ({
      floor: floor(),
      newest: Math.max(newest, stored.newest),
      open: [
        ...[...unfinished.values()].map(({ commit, parts }) => [commit.position, ...parts]),
        // One that has been passed by is not in the log any more.
        ...[...remembered]
          .filter(([position]) => position > newest)
          .map(([position, parts]) => [position, ...parts]),
      ],
    }),
  };
};
