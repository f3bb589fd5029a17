/** The steps that a process has in hand during one slice: a bounded number, beside what waits in its SQLite. */
import type { Outcome } from "./subscription-delivery.ts";
import type { Step } from "./subscription-step.ts";

export interface CommitsUnderWay {
  /** Aborts at the end of the slice, and when something fails: what follows on a key must not overtake. */
  readonly signal: AbortSignal;
  /** Whether there is room for one more. */
  hasRoom(): boolean;
  /** Resolves when there is. */
  room(): Promise<void>;
  /** Looks again whether there is room: something else that takes it has changed. */
  changed(): void;
  take(step: Step): void;
  /** Stores how far it is, unless what is under way does so. */
  passed(): void;
  /** Stops all for what was thrown. */
  fail(thrown: unknown): void;
  /**
   * Stops all and stores the place. What has begun goes on, and is found done or open by whoever takes it next: an attempt that
   * hangs holds nobody up. @throws what failed first, if anything did
   */
  stop(): void;
}

/** The place is stored after this many finished steps, whenever one was put aside, and when nothing is under way. */
const STORE_EVERY = 64;

export const commitsUnderWay = ({
  handle,
  store,
  full,
  signal: outer,
}: {
  /** Rejects with the signal's reason when it was interrupted: the step then stays unfinished. */
  handle: (step: Step, signal: AbortSignal) => Promise<Outcome>;
  store: () => void;
  /** @param inHand steps that were taken and are not done */
  full: (inHand: number) => boolean;
  /** Ends the slice. */
  signal: AbortSignal;
}): CommitsUnderWay => {
  const stopped = new AbortController();
  const signal = AbortSignal.any([outer, stopped.signal]);
  const underWay = new Set<Promise<void>>();
  let finishedSinceStored = 0;
  let changed = () => {};
  let failure: { readonly thrown: unknown } | undefined;

  signal.addEventListener("abort", () => changed());

  const fail = (thrown: unknown) => {
    if (signal.aborted && thrown === signal.reason) return;
    failure ??= { thrown };
    stopped.abort(thrown);
  };
  const storeNow = () => {
    store();
    finishedSinceStored = 0;
  };
  const finish = async (step: Step) => {
    try {
      const outcome = await handle(step, signal);
      if (outcome === "aside" || ++finishedSinceStored >= STORE_EVERY) storeNow();
    } catch (thrown) {
      fail(thrown);
    }
  };
  const leave = (done: Promise<void>) => {
    underWay.delete(done);
    try {
      if (underWay.size === 0) storeNow();
    } catch (thrown) {
      fail(thrown);
    }
    changed();
  };
  const hasRoom = () => signal.aborted || !full(underWay.size);

  return {
    signal,
    hasRoom,
    async room() {
      while (!hasRoom()) {
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
    changed: () => changed(),
    take(step) {
      const done = finish(step);
      underWay.add(done);
      void done.then(() => leave(done));
    },
    passed() {
      if (underWay.size === 0) storeNow();
    },
    fail,
    stop() {
      stopped.abort();
      storeNow();
      if (failure) throw failure.thrown;
    },
  };
};
