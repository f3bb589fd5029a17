/** Shows how far a copy of a log is: a bar on a terminal, a line now and then elsewhere. */
import type { Clock } from "#shared/runtime/clock.ts";
import { type Output, printable } from "./terminal.ts";

const REDRAW_MS = 200;
/** Between lines where there is no bar. */
const SAY_MS = 10_000;
const BAR = 24;

export interface ArchiveProgress {
  at(position: number, range: { readonly first: number; readonly last: number }): void;
  /** Ends the line of the bar. */
  end(): void;
}

export const archiveProgress = (title: string, out: Output, clock: Clock): ArchiveProgress => {
  const began = clock();
  let saidAt = out.isTTY ? Number.NEGATIVE_INFINITY : began;
  let from: number | undefined;
  let said = false;
  return {
    at(position, { first, last }) {
      from ??= position;
      const now = clock();
      const isDue = now - saidAt >= (out.isTTY ? REDRAW_MS : SAY_MS) || (out.isTTY && position === last);
      if (!isDue) return;
      const share = (position - first + 1) / (last - first + 1);
      const filled = Math.floor(share * BAR);
      const bar = `${"█".repeat(filled)}${"░".repeat(BAR - filled)}`;
      const rate = now - began < REDRAW_MS ? 0 : Math.round(((position - from) * 1_000) / (now - began));
      const left = rate > 0 ? `, ${Math.ceil((last - position) / rate)} s left` : "";
      const of = `position ${position.toLocaleString("en-US")} of ${last.toLocaleString("en-US")}`;
      const line = printable(`${title} ${bar} ${Math.floor(share * 100)} % ${of}${left}`);
      out.write(out.isTTY ? `\r\u001b[2K${line.slice(0, (out.columns ?? 80) - 1)}` : `${line}\n`);
      saidAt = now;
      said = true;
    },
    end() {
      if (out.isTTY && said) out.write("\n");
    },
  };
};
