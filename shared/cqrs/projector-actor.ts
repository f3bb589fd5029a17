/** Keeps one projection in step with its service's log, each commit applied exactly once, whoever retries. */
import type { Commit } from "../events/event.ts";
import type { EventLog } from "../events/event-log.ts";
import { LIMITS } from "../limits.ts";
import type { ActorContext, ActorLogic } from "../runtime/actor.ts";
import type { Clock, Random, Sleep } from "../runtime/clock.ts";
import { inCommitSpans } from "./commit-spans.ts";
import type { Projection, ReadStore } from "./projection.ts";
import { pump } from "./pump.ts";

export interface ProjectorStatus {
  projection: string;
  /** Position up to which the read model has been brought; undefined before the first look. */
  position?: number;
  /** Why it does not go on at the moment. */
  failure?: string;
}

export type ProjectorMethods = {
  wake(input: Record<string, never>): Promise<ProjectorStatus>;
  /** True as soon as the read model holds everything up to the position, false after `timeoutMs`. */
  waitFor(input: { position: number; timeoutMs: number }): Promise<boolean>;
};

export const projectorActor = ({
  context,
  projection,
  source,
  log,
  store,
  clock,
  random,
  sleep,
}: {
  context: ActorContext;
  projection: Projection;
  /** The service whose log it follows. */
  source: string;
  log: EventLog;
  store: ReadStore;
  clock: Clock;
  random: Random;
  sleep: Sleep;
}): ActorLogic<ProjectorMethods> => {
  let position: number | undefined;
  const waiting = new Set<{ position: number; reached: () => void }>();

  const reach = (now: number) => {
    position = now;
    for (const waiter of waiting) if (waiter.position <= now) waiter.reached();
  };

  const reachOf = (wanted: number, timeoutMs: number) =>
    new Promise<boolean>((resolve) => {
      const patience = new AbortController();
      const settle = (inTime: boolean) => {
        waiting.delete(waiter);
        patience.abort();
        resolve(inTime);
      };
      const waiter = { position: wanted, reached: () => settle(true) };
      waiting.add(waiter);
      sleep(timeoutMs, patience.signal).then(
        () => settle(false),
        () => undefined,
      );
    });

  const apply = (commits: readonly Commit[], from: number, to: number) =>
    inCommitSpans(
      `project log-${source}`,
      {
        "messaging.system": "nats",
        "messaging.operation.name": "project",
        "messaging.operation.type": "process",
        "messaging.destination.name": `log-${source}`,
        "messaging.consumer.group.name": projection.name,
        "messaging.batch.message_count": commits.length,
      },
      commits,
      () =>
        store.apply({ projection: projection.name, from, to, statements: projection.statements(commits) }),
    );

  const follow = async (signal: AbortSignal, wentWell: () => void) => {
    let from = await store.checkpoint(projection.name);
    reach(from);
    for await (const commits of log.tail({ after: from, batchMax: LIMITS.projectionBatch, signal })) {
      const to = commits.at(-1)?.position ?? from;
      if ((await apply(commits, from, to)) === "moved") return;
      from = to;
      reach(to);
      wentWell();
      const caughtUp = commits.length < LIMITS.projectionBatch;
      if (caughtUp) await sleep(LIMITS.projectionPauseMs);
    }
  };

  const following = pump({ context, work: follow, clock, random, sleep });

  const status = (): ProjectorStatus => {
    const failure = following.lastFailure();
    return {
      projection: projection.name,
      ...(position !== undefined && { position }),
      ...(failure !== undefined && { failure }),
    };
  };

  return {
    alarm: following.alarm,
    methods: {
      async wake() {
        await following.wake();
        return status();
      },
      async waitFor({ position: wanted, timeoutMs }) {
        const isThere = () => position !== undefined && position >= wanted;
        if (isThere()) return true;
        // Listening comes first: while waking is awaited, the position may be reached.
        const reached = reachOf(wanted, timeoutMs);
        await following.wake();
        return (await reached) || isThere();
      },
    },
  };
};
