/** Says on the terminal what a long step does, that it still runs, and how long it took. */

export type Say = (line: string) => void;

export const sayOnTerminal: Say = (line) => {
  process.stderr.write(`${line}\n`);
};

const SILENT_MS = 10_000;

/** Runs `work` under a title; the title comes again with the elapsed time every ten seconds. */
export const step = async <T>(
  title: string,
  work: () => Promise<T>,
  say: Say = sayOnTerminal,
): Promise<T> => {
  say(`  ${title}`);
  const started = Date.now();
  const timer = setInterval(() => {
    say(`  … ${title}, ${Math.round((Date.now() - started) / 1000)} s`);
  }, SILENT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
};
