/**
 * Keeps what a replaced Actor has on its way from what its successor builds. Whoever rebuilds counts a register of the read
 * store up first, and each of its statements is made only as long as nobody has counted on since.
 */
import type { Guard, ReadStore } from "./read-store.ts";

/** Under which a projection's rows and its rebuild are guarded. */
export const fenceName = (projection: string): string => `${projection}!fence`;

export interface RebuildFence {
  /** Takes it, unless this Actor has it. */
  hold(): Promise<void>;
  /** Takes it in any case: nothing that was guarded by it before is made any more. */
  renew(): Promise<void>;
  /** @throws Error while it is not held */
  guards(): readonly Guard[];
  /** Somebody else has it: what was guarded by it was not made. */
  lose(): void;
}

/** What the Actor's SQLite remembers of it. */
export interface FenceMemory {
  /** As this Actor held it last; 0 when it never did. */
  last(): number;
  /** @param foreign whether somebody else has held it since */
  taken(epoch: number, foreign: boolean): void;
}

export const rebuildFence = (
  { projection, store }: { projection: string; store: ReadStore },
  memory: FenceMemory,
): RebuildFence => {
  const name = fenceName(projection);
  let held: number | undefined;
  /** Two of this Actor's calls at once are one. */
  let taking: Promise<void> | undefined;

  const take = async () => {
    for (;;) {
      const before = await store.checkpoint(name);
      const taken = await store.apply({ projection: name, from: before, to: before + 1, changes: [] });
      if (taken === "moved") continue;
      memory.taken(before + 1, before !== memory.last());
      held = before + 1;
      return;
    }
  };
  const renew = () => {
    taking ??= take().finally(() => {
      taking = undefined;
    });
    return taking;
  };

  return {
    renew,
    hold: async () => (held === undefined ? renew() : undefined),
    guards() {
      if (held === undefined) throw new Error(`Rebuilding "${projection}": somebody else has begun to do so`);
      return [{ name, at: held }];
    },
    lose() {
      held = undefined;
    },
  };
};
