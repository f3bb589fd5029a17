/** Reads where a replay is to begin: a position, a time, or so long ago. */
import type { Clock } from "#shared/runtime/clock.ts";
import { EXIT } from "../control-call.ts";
import { CliFailure } from "../failure.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** @returns a position, or a time as RFC 3339 UTC @throws CliFailure with exit code 2 */
export const replayFrom = (text: string, clock: Clock): number | string => {
  if (text === "beginning") return 1;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(clock() - Number(count) * (UNIT_MS[unit] ?? 0)).toISOString();
  const at = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new CliFailure(
    `cannot replay from "${text}": expected a position, "beginning", a time (2026-01-31T12:00:00Z) or so long ago (90s, 15m, 2h, 3d)`,
    EXIT.usage,
  );
};
