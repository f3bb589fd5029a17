/** Runs something until the person at the terminal, or whoever started it, ends it. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Closing is bounded: whatever hangs then is ended by the exit of this process. */
const CLOSE_MS = 15_000;

/**
 * Starts, waits for a signal (or for the parent process to go away), and closes. Ctrl-C reaches a whole group of
 * processes and npm passes it on once more, so signals after the first change nothing.
 * @returns the exit code 0
 * @throws what `start` throws, unless it was stopped
 */
export const untilStopped = async (
  start: (signal: AbortSignal) => Promise<{ close(): Promise<void> }>,
): Promise<number> => {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  const stop = () => stopping.abort(new Error("stopped"));
  for (const signal of SIGNALS) process.on(signal, stop);
  process.on("disconnect", stop);
  try {
    const running = await start(stopping.signal);
    await stopped;
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    await running.close();
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  }
  return 0;
};
