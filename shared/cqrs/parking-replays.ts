/** Replays many parked events for one request: each key's in the log's order, those of others side by side. */
import { LIMITS } from "../limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ParkedEvent, ParkedPage } from "./parking.ts";
import type { ProcessMethods } from "./process-actor.ts";
import { PARKED_BEHIND } from "./projection-parking.ts";

export interface ReplayedEvents {
  replayed: number;
  failed: number;
  failures: { id: string; code: string; detail: string }[];
  /** Behind which there may be more. */
  next?: { position: number; id: string };
}

/** Events that only wait behind a parked one are not asked for: they follow it by themselves. */
export const replayParkedEvents = async (
  parking: Pick<ProcessMethods, "parked" | "replay">,
  { type, limit, after }: { type?: string | undefined } & ParkedPage,
  clock: Clock,
): Promise<ReplayedEvents> => {
  const until = clock() + LIMITS.parkedReplaysMs;
  const page = await parking.parked({ limit, after });
  const chosen = page.filter(
    (event) => event.reason.code !== PARKED_BEHIND && (type === undefined || event.type === type),
  );
  const done: ReplayedEvents = { replayed: 0, failed: 0, failures: [] };
  /** The first that time did not suffice for, in the log's order. */
  let left = Number.POSITIVE_INFINITY;

  const replayInTurn = async (events: readonly ParkedEvent[]) => {
    for (const event of events) {
      if (clock() > until) {
        left = Math.min(left, page.indexOf(event));
        return;
      }
      const result = await parking.replay({ id: event.id });
      if (result.ok) done.replayed++;
      // Replayed by somebody else meanwhile, or behind another.
      else if (result.error.code !== "not_found") {
        done.failed++;
        done.failures.push({ id: event.id, ...result.error });
      }
    }
  };
  // What a projection has parked stands in the order of its aggregate.
  const byKey = Map.groupBy(chosen, ({ key, aggregateId }) => key ?? aggregateId);
  await Promise.all([...byKey.values()].map(replayInTurn));
  const last = Number.isFinite(left) ? page[left - 1] : page.length === limit ? page.at(-1) : undefined;
  const begin = Number.isFinite(left) && left === 0 ? (after ?? { position: 0, id: "" }) : undefined;
  const next = last ? { position: last.position, id: last.id } : begin;
  return { ...done, ...(next && { next }) };
};
