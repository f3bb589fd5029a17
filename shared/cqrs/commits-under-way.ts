/** The commits that a process is at during one slice: those of one aggregate in turn, others side by side. */
import type { Commit } from "../events/event.ts";
import { LIMITS } from "../limits.ts";
import { keyedMutex } from "./mutex.ts";
import type { Progress } from "./progress.ts";

export interface CommitsUnderWay {
  /** Aborts at the end of the slice, and when something fails: what follows on an aggregate must not overtake. */
  readonly signal: AbortSignal;
  /** Resolves when there is room for one more. */
  room(): Promise<void>;
  take(commit: Commit): void;
  /** Stops all, waits for what cannot be interrupted and stores the floor. @throws what failed first, if anything did */
  stop(): Promise<void>;
}

/** The floor is stored after this many finished commits, and whenever nothing is under way. */
const FLOOR_EVERY = 64;

export const commitsUnderWay = ({
  handle,
  progress,
  storeFloor,
  signal: outer,
}: {
  /** Rejects with the signal's reason when it was interrupted: the commit then stays unfinished. */
  handle: (commit: Commit, signal: AbortSignal) => Promise<void>;
  progress: Progress;
  storeFloor: (position: number) => void;
  /** Ends the slice. */
  signal: AbortSignal;
}): CommitsUnderWay => {
  const stopped = new AbortController();
  const signal = AbortSignal.any([outer, stopped.signal]);
  const inOrder = keyedMutex();
  const underWay = new Set<Promise<void>>();
  let finishedSinceStored = 0;
  let settled = () => {};
  let failure: { readonly thrown: unknown } | undefined;

  const fail = (thrown: unknown) => {
    if (signal.aborted && thrown === signal.reason) return;
    failure ??= { thrown };
    stopped.abort(thrown);
  };
  const store = () => {
    storeFloor(progress.floor());
    finishedSinceStored = 0;
  };
  const finish = async (commit: Commit) => {
    try {
      await handle(commit, signal);
      progress.finish(commit);
      if (++finishedSinceStored >= FLOOR_EVERY) store();
    } catch (thrown) {
      fail(thrown);
    }
  };
  const leave = (done: Promise<void>) => {
    underWay.delete(done);
    try {
      if (underWay.size === 0) store();
    } catch (thrown) {
      fail(thrown);
    }
    settled();
  };

  return {
    signal,
    async room() {
      while (underWay.size >= LIMITS.processBacklog) {
        await new Promise<void>((resolve) => {
          settled = resolve;
        });
      }
    },
    take(commit) {
      const done = inOrder(commit.aggregate.id, () => finish(commit));
      underWay.add(done);
      void done.then(() => leave(done));
    },
    async stop() {
      stopped.abort();
      await Promise.all(underWay);
      store();
      if (failure) throw failure.thrown;
    },
  };
};
