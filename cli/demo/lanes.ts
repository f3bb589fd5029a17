/** Runs a stream of work with a bound on how much is under way, keeping the order within each lane. */

export type LaneWork = {
  /** Work of one lane starts in the order of the stream; undefined: no order to keep. */
  lane: string | undefined;
  /** Resolves when the lane's next may start; `settled` when all of it is done. */
  run: () => Promise<{ settled: Promise<void> }>;
};

/** Work that waits for its lane does not run, but takes memory: the stream is not read further beyond so many. */
const WAITING_PER_RUNNING = 16;

/**
 * Resolves when the stream has ended and all work is settled; at most `concurrency` of it unsettled at any time.
 * Rejects with what the stream or a piece of work threw first, once everything that had started is settled.
 */
export const runInLanes = async (source: AsyncIterable<LaneWork>, concurrency: number): Promise<void> => {
  const running = slots(concurrency);
  const pending = slots(concurrency * WAITING_PER_RUNNING);
  const lanes = new Map<string, Promise<void>>();
  const all = new Set<Promise<void>>();
  const errors: unknown[] = [];

  const perform = async (work: LaneWork, before: Promise<void> | undefined, next: () => void) => {
    await before;
    await running.take();
    try {
      const { settled } = await work.run();
      next();
      await settled;
    } catch (error) {
      errors.push(error);
    }
    next();
    running.free();
    pending.free();
  };

  const startAll = async () => {
    for await (const work of source) {
      await pending.take();
      if (errors.length > 0) return;
      const turn = Promise.withResolvers<void>();
      const before = work.lane === undefined ? undefined : lanes.get(work.lane);
      if (work.lane !== undefined) lanes.set(work.lane, turn.promise);
      const done = perform(work, before, turn.resolve).then(() => {
        all.delete(done);
        if (work.lane !== undefined && lanes.get(work.lane) === turn.promise) lanes.delete(work.lane);
      });
      all.add(done);
    }
  };

  await startAll().catch((error: unknown) => errors.push(error));
  await Promise.all(all);
  if (errors.length > 0) throw errors[0];
};

const slots = (count: number) => {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    take: async (): Promise<void> => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    free: (): void => {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
};
