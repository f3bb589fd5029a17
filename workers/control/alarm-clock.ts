/** One alarm for all parts that have something to do by themselves: the earliest one sets it. */
import { LIMITS } from "#shared/limits.ts";
import type { ActorContext } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import type { Scheduled } from "./part.ts";
import { untraced } from "./untraced.ts";

export interface AlarmClock {
  /** Sets the alarm for what follows a change, before the change: a crash between them is repaired when it rings. */
  beforeChange(): Promise<void>;
  /** Sets the alarm for the earliest part; called after everything that may have given one something to do. */
  arm(): Promise<void>;
  /** The Actor's alarm: runs the parts that are due. Never rejects but where the next alarm cannot be set. */
  ring(): Promise<void>;
}

/** An alarm that did not ring this long after its time is lost: the platform gives up after some failures. */
const LOST_AFTER_MS = 60_000;
/** A part that threw runs again after this long. */
const AFTER_THROW_MS = 1_000;

/** @param parts by the names that their spans have */
export const alarmClock = ({
  alarm,
  clock,
  parts,
}: {
  alarm: ActorContext["alarm"];
  clock: Clock;
  parts: () => Readonly<Record<string, Scheduled>>;
}): AlarmClock => {
  /** When the alarm that is set will ring; undefined when none is known of. */
  let armedAt: number | undefined;
  const heldBack = new Map<string, number>();

  const dueOf = (name: string, part: Scheduled): number => {
    try {
      return Math.max(part.due() ?? Number.POSITIVE_INFINITY, heldBack.get(name) ?? 0);
    } catch {
      return clock() + AFTER_THROW_MS;
    }
  };

  /** An alarm that rings too early costs nothing, so it is only ever moved forward. */
  const setBy = async (dueMs: number) => {
    const atMs = Math.max(dueMs, clock());
    const isLost = armedAt !== undefined && armedAt + LOST_AFTER_MS < clock();
    if (armedAt !== undefined && armedAt <= atMs && !isLost) return;
    await alarm.set(atMs);
    armedAt = atMs;
  };

  const arm = async () => {
    const due = Math.min(...Object.entries(parts()).map(([name, part]) => dueOf(name, part)));
    if (Number.isFinite(due)) await setBy(due);
  };

  const run = async (name: string, part: Scheduled) => {
    heldBack.delete(name);
    try {
      await untraced(() => part.run());
    } catch (error) {
      heldBack.set(name, clock() + AFTER_THROW_MS);
      // Only what fails has a span: rings without a trace of their own would fill the monitor.
      await inSpan(`control ${name}`, {}, () => Promise.reject(error)).catch(() => undefined);
    }
  };

  return {
    beforeChange: () => setBy(clock() + LIMITS.snapshotPauseMs),
    arm,
    async ring() {
      armedAt = undefined;
      try {
        const due = Object.entries(parts()).filter(([name, part]) => dueOf(name, part) <= clock());
        await Promise.all(due.map(([name, part]) => run(name, part)));
      } finally {
        await arm();
      }
    },
  };
};
