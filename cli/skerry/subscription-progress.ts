/** Shows how far a replay is until it has come to where the log ended when it began. */
import type { Subscription } from "#shared/cqrs/subscription-routes.ts";
import type { Sleep } from "#shared/runtime/clock.ts";
import { type Output, printable } from "./terminal.ts";

const LOOK_MS = 500;
/** Looks between lines where there is no bar. */
const SAY_EVERY = 20;
const BAR = 24;

export interface FollowReplayOptions {
  readonly name: string;
  /** As it was when the replay had been asked for. */
  readonly begun: Subscription;
  readonly ask: () => Promise<Subscription>;
  readonly out: Output;
  readonly sleep: Sleep;
}

/** @returns the subscription at the end; at once when it is paused */
export const followReplay = async (options: FollowReplayOptions): Promise<Subscription> => {
  const { name, begun, ask, out, sleep } = options;
  const target = begun.newest ?? begun.floor;
  let now = begun;
  for (let looks = 0; ; looks++) {
    const ended = now.floor >= target || now.paused !== undefined;
    if (out.isTTY || ended || looks % SAY_EVERY === 0) {
      const line = printable(progressLine(name, now, begun.floor, target));
      out.write(out.isTTY ? `\r\u001b[2K${line.slice(0, (out.columns ?? 80) - 1)}` : `${line}\n`);
    }
    if (ended && out.isTTY) out.write("\n");
    if (ended) return now;
    await sleep(LOOK_MS);
    now = await ask();
  }
};

const progressLine = (name: string, now: Subscription, from: number, target: number): string => {
  const share = target <= from ? 1 : Math.min(1, Math.max(0, (now.floor - from) / (target - from)));
  const filled = Math.floor(share * BAR);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR - filled)}`;
  const why = now.failure === undefined ? "" : `, fails: ${now.failure}`;
  const of = `${now.floor.toLocaleString("en-US")} of ${target.toLocaleString("en-US")}`;
  return `${name} ${bar} ${Math.floor(share * 100)} %, ${of}${why}`;
};
