/** Appends for who does not hold an aggregate's state: on whatever stands, on nothing, or at a known place. */
import { LIMITS } from "../limits.ts";
import { err, type Result } from "../result.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { Append, Appended, AppendRefusal, EventLog, LastCommit } from "./event-log.ts";
import { LogUnavailable } from "./event-log.ts";

export type ExpectedRevision =
  /** Whatever stands there. */
  | "any"
  /** The aggregate must not exist yet. */
  | "none"
  | Pick<LastCommit, "position" | "version">;

export interface AppendTo extends Omit<Append, "expectedPosition" | "expectedVersion"> {
  readonly expected: ExpectedRevision;
}

const NOTHING = { position: 0, version: 0 };

/**
 * `any` is no blind write: it appends on the last commit, again and again while others come first, so that versions stay
 * without gaps. A command id that comes again is one commit for as long as the log remembers it by itself (JetStream: two
 * minutes) or nobody came after it; who needs more gives the position it knows.
 * @param options.until epoch ms by which it is answered, where that is sooner than an append's own bound
 */
export const appendTo = async (
  log: Pick<EventLog, "append" | "last">,
  { expected, ...commit }: AppendTo,
  { until = Number.POSITIVE_INFINITY, clock = systemClock }: { until?: number; clock?: Clock } = {},
): Promise<Result<Appended, AppendRefusal>> => {
  const on = ({ position, version }: Pick<LastCommit, "position" | "version">, by: number) =>
    log.append({ ...commit, expectedPosition: position, expectedVersion: version }, by);

  if (expected !== "any") return on(expected === "none" ? NOTHING : expected, until);
  const end = Math.min(clock() + LIMITS.appendMs, until);
  for (;;) {
    const last = await lastOrUnavailable(log, commit, end);
    if (!last.ok) return last;
    if (last.value?.commandId === commit.commandId)
      return { ok: true, value: { position: last.value.position, duplicate: true } };
    const appended = await on(last.value ?? NOTHING, end);
    if (appended.ok || appended.error.code !== "conflict" || clock() >= end) return appended;
  }
};

const lastOrUnavailable = async (
  log: Pick<EventLog, "last">,
  { aggregate }: Pick<Append, "aggregate">,
  until: number,
): Promise<Result<LastCommit | undefined, AppendRefusal>> => {
  try {
    return { ok: true, value: await log.last(aggregate, until) };
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error;
    return err({ code: "unavailable", detail: error.message });
  }
};
