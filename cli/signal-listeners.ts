/** Keeps the handling of signals with whoever had it, against libraries that end the process on them by themselves. */

const EVENTS = ["SIGINT", "SIGTERM", "SIGHUP", "message"];

/**
 * Remembers the listeners of now; the function it returns removes those that came since.
 * Miniflare listens for signals and exits at once, before what else was started could be stopped.
 */
export const keepSignalListeners = (): (() => void) => {
  const before = EVENTS.map((event) => [event, new Set(process.rawListeners(event))] as const);
  return () => {
    for (const [event, known] of before) {
      for (const listener of process.rawListeners(event)) {
        if (!known.has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  };
};
