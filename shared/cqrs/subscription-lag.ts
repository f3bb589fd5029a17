/** How far a subscription is behind its log: in commits, and in seconds since the oldest event that it lacks. */
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Sleep } from "../runtime/clock.ts";
import type { Process } from "./process.ts";
import type { ProcessStatus, SubscriptionDetails } from "./process-actor.ts";
import { subscriptionMetrics } from "./subscription-metrics.ts";
import type { WaitingEvents } from "./subscription-waiting.ts";

type Lag = Pick<SubscriptionDetails, "newest" | "behindCommits" | "behindSeconds">;

export const subscriptionLag = ({
  process,
  log,
  waiting,
  oldest,
  clock,
  sleep,
}: {
  process: Process;
  log: EventLog;
  waiting: WaitingEvents;
  /** The oldest commit in hand. */
  oldest: () => Commit | undefined;
  clock: Clock;
  sleep: Sleep;
}): ((status: ProcessStatus) => Promise<Lag>) => {
  const metrics = subscriptionMetrics(process.name, process.source);

  /** The first commit beyond the floor of a subscription that does not take it by itself. */
  const firstAfter = async (floor: number): Promise<Commit | undefined> => {
    const end = new AbortController();
    const bound = sleep(LIMITS.readRequestMs, end.signal).then(
      () => end.abort(),
      () => undefined,
    );
    try {
      for await (const [commit] of log.tail({ after: floor, batchMax: 1, signal: end.signal })) return commit;
    } catch {
      // How old it is cannot be told then; that the log is away is told by `newest`.
    } finally {
      end.abort();
      await bound;
    }
    return undefined;
  };

  return async ({ floor, paused, failure }) => {
    const newest = await log.lastPosition().catch(() => undefined);
    if (newest !== undefined) metrics.behind(newest - floor);
    const stands = paused !== undefined || failure !== undefined;
    const commit = oldest() ?? (stands && (newest ?? 0) > floor ? await firstAfter(floor) : undefined);
    const times = [commit?.events[0]?.time, waiting.oldest()].map((time) => Date.parse(time ?? ""));
    const since = Math.min(...times.filter((time) => !Number.isNaN(time)));
    return {
      ...(newest !== undefined && { newest, behindCommits: Math.max(0, newest - floor) }),
      behindSeconds: Number.isFinite(since) ? Math.max(0, clock() - since) / 1_000 : 0,
    };
  };
};
