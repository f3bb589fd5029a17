/** `npm run dev`: the same system as `npm start`, built again and served anew whenever a source file is saved. */
import { watch } from "node:fs";
import { join } from "node:path";
import { sayOnTerminal as say } from "./progress.ts";
import { readSettings, runSystem, type SystemSettings } from "./run-system.ts";
import { untilStopped } from "./until-stopped.ts";
import { ROOT } from "./workers.ts";

/** Everything that a worker's bundle, bindings or database can come from. */
const WATCHED = ["workers", "shared", "nats", "otel", "migrations", "test/fake", "wrangler.toml"];

/** Editors write a file in several steps, and several files at once. */
const SETTLE_MS = 50;

/** Calls `changed` after each pause in the changes; returns what ends the watching. */
const watchSources = (changed: (file: string) => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const watchers = WATCHED.map((path) =>
    watch(join(ROOT, path), { recursive: true }, (_, file) => {
      if (file?.endsWith(".test.ts")) return;
      clearTimeout(timer);
      timer = setTimeout(() => changed(join(path, file ?? "")), SETTLE_MS);
    }),
  );
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
};

/** One reload at a time; what changes meanwhile is one more after it. */
const oneAtATime = (work: () => Promise<void>): (() => void) => {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await work();
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
};

const runDev = async (settings: SystemSettings, signal: AbortSignal) => {
  const running = await runSystem(settings, signal);
  const reload = oneAtATime(async () => {
    const started = Date.now();
    try {
      await running.system.reload();
      say(`  Reloaded in ${Date.now() - started} ms`);
    } catch (error) {
      say(`  Not reloaded: ${error instanceof Error ? error.message : error}`);
    }
  });
  const unwatch = watchSources((file) => {
    say(`  ${file} changed`);
    reload();
  });
  const close = async () => {
    unwatch();
    await running.close();
  };
  return { close };
};

export const main = async (args: string[]): Promise<number> => {
  const settings = readSettings(args, process.env);
  return untilStopped((signal) => runDev(settings, signal));
};
