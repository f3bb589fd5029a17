/** One call after a while that can be called off: half of what `Sleep` with a signal to end it costs, or less. */

/** Calls `run` after `ms`, unless the function that it gives back is called before. */
export type Timer = (ms: number, run: () => void) => () => void;

export const systemTimer: Timer = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};
