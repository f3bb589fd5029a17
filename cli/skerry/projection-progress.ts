/** Shows how far a rebuild is until it has ended: a bar on a terminal, a line now and then elsewhere. */
import type { RebuildProgress } from "#shared/cqrs/rebuild.ts";
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";
import { type Output, printable } from "./terminal.ts";

const LOOK_MS = 500;
/** Between lines where there is no bar. */
const SAY_MS = 10_000;
const BAR = 24;

export interface FollowOptions {
  readonly name: string;
  readonly ask: () => Promise<RebuildProgress>;
  readonly out: Output;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** @throws CliFailure when it was cancelled */
export const followRebuild = async (options: FollowOptions): Promise<RebuildProgress> => {
  const { name, ask, out, clock, sleep } = options;
  const began = clock();
  let saidAt = Number.NEGATIVE_INFINITY;
  let firstPosition: number | undefined;
  for (;;) {
    const now = await ask();
    firstPosition ??= now.position;
    const ended = now.phase === "done" || now.phase === "cancelled";
    if (out.isTTY || ended || clock() - saidAt >= SAY_MS) {
      const line = printable(progressLine(name, now, now.position - firstPosition, clock() - began));
      out.write(out.isTTY ? `\r\u001b[2K${line.slice(0, (out.columns ?? 80) - 1)}` : `${line}\n`);
      saidAt = clock();
    }
    if (ended && out.isTTY) out.write("\n");
    if (now.phase === "done") return now;
    if (now.phase === "cancelled")
      throw new CliFailure(`the rebuild of "${name}" was cancelled`, EXIT.changed);
    await sleep(LOOK_MS);
  }
};

const progressLine = (name: string, now: RebuildProgress, commits: number, tookMs: number): string => {
  const { phase, position, target, failure } = now;
  const share = phase === "done" ? 1 : target === 0 ? 0 : Math.min(1, position / target);
  const filled = Math.floor(share * BAR);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR - filled)}`;
  const rate = tookMs < LOOK_MS ? 0 : Math.round((commits * 1_000) / tookMs);
  const left = rate > 0 && phase === "filling" ? `, ${Math.ceil((target - position) / rate)} s left` : "";
  const pace = rate > 0 ? `, ${rate.toLocaleString("en-US")} commits/s` : "";
  const of = `${position.toLocaleString("en-US")} of ${target.toLocaleString("en-US")}`;
  const why = failure === undefined ? "" : `, fails: ${failure}`;
  return `${name} ${bar} ${Math.floor(share * 100)} % ${phase}, ${of}${pace}${left}${why}`;
};
