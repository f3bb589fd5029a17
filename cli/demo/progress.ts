/** Shows how far a long step is: one updating line on a terminal, a line every few seconds elsewhere. */
import type { Clock } from "#shared/runtime/clock.ts";

export interface Progress {
  begin(what: string, total: number): void;
  /** One more is done. */
  step(): void;
  end(): void;
}

export type ProgressOutput = { write(text: string): unknown; isTTY?: boolean; columns?: number };

const LINE_EVERY_MS = 5_000;
const BAR_EVERY_MS = 80;
const BAR_WIDTH = 24;

export const progressOn = (output: ProgressOutput, clock: Clock): Progress => {
  const everyMs = output.isTTY ? BAR_EVERY_MS : LINE_EVERY_MS;
  let state = { what: "", total: 0, done: 0, beganAt: 0, shownAt: 0 };

  const show = () => {
    const { what, total, done, beganAt } = state;
    state.shownAt = clock();
    const rate = Math.round((done * 1000) / Math.max(state.shownAt - beganAt, 1));
    const figures = `${done} of ${total} ${what} (${rate} a second)`;
    if (!output.isTTY) return output.write(`${figures}\n`);
    const filled = Math.round((BAR_WIDTH * Math.min(done, total)) / Math.max(total, 1));
    const line = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${figures}`;
    return output.write(`\r\x1b[2K${line.slice(0, (output.columns ?? 80) - 1)}`);
  };

  return {
    begin(what, total) {
      state = { what, total, done: 0, beganAt: clock(), shownAt: clock() };
      if (output.isTTY) show();
    },
    step() {
      state.done += 1;
      if (clock() - state.shownAt >= everyMs) show();
    },
    end() {
      show();
      if (output.isTTY) output.write("\n");
    },
  };
};
