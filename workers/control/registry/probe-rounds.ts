/** Asks instances whether they are well, some at once and for a short while; what came out is written together. */
import { LIMITS } from "#shared/limits.ts";
import type { Instance } from "#shared/registry/instance.ts";
import type { Clock, Random } from "#shared/runtime/clock.ts";
import type { ProbeResult } from "./instance-life.ts";
import type { HealthCheck } from "./registration.ts";
import { instanceOf, type StoredInstance } from "./stored-instance.ts";

/** Asks one instance. */
export type Probe = (
  instance: Instance,
  check: Pick<HealthCheck, "path" | "timeoutMs">,
) => Promise<ProbeResult>;

/** What came of one probe, for the instance as it was when it was asked. */
export interface Probed {
  readonly asked: StoredInstance;
  readonly result: ProbeResult;
  /** When to ask again. */
  readonly next: number;
}

export interface ProbeRoundsOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly random: Random;
  /** At most `limit` of those that are due. */
  readonly due: (limit: number) => StoredInstance[];
  readonly write: (results: readonly Probed[]) => Promise<void>;
}

export interface ProbeRounds {
  /** Probes what is due, within the bounds of a round. */
  round(): Promise<void>;
  /** An instance that is to be probed now is part of the round under way: it does not wait for the slow ones. */
  join(instance: StoredInstance): void;
}

interface Round {
  readonly queue: StoredInstance[];
  readonly joined: StoredInstance[];
  readonly endsAt: number;
  readonly workers: Set<Promise<void>>;
  results: Probed[];
}

/** Instances that started together shall not be asked together for ever. */
const JITTER = 0.1;

export const probeRounds = ({ probe, clock, random, due, write }: ProbeRoundsOptions): ProbeRounds => {
  let current: Round | undefined;

  const ask = async (asked: StoredInstance): Promise<Probed | undefined> => {
    const { health } = asked.definition;
    if (!health) return undefined;
    const result = await probe(instanceOf(asked), health).catch(() => ({ ok: false }));
    const pauseMs = health.intervalSeconds * 1_000 * (1 + JITTER * (2 * random() - 1));
    return { asked, result, next: clock() + Math.round(pauseMs) };
  };

  const flush = async (round: Round): Promise<void> => {
    const results = round.results;
    round.results = [];
    if (results.length > 0) await write(results);
  };

  const nextOf = (round: Round): StoredInstance | undefined =>
    round.joined.shift() ?? (clock() < round.endsAt ? round.queue.shift() : undefined);

  const work = async (round: Round): Promise<void> => {
    for (let next = nextOf(round); next; next = nextOf(round)) {
      const probed = await ask(next);
      if (!probed) continue;
      round.results.push(probed);
      // A new instance is wanted now; bad news wait for the rest of the round, to be told from a mass failure.
      if (probed.result.ok && next.life.health === "starting") await flush(round);
    }
  };

  const employ = (round: Round): void => {
    const worker = work(round);
    round.workers.add(worker);
    const leave = () => round.workers.delete(worker);
    worker.then(leave, leave);
  };

  return {
    async round() {
      const queue = due(LIMITS.registryProbesPerRound);
      if (queue.length === 0) return;
      const endsAt = clock() + LIMITS.registryProbeRoundMs;
      const round: Round = { queue, joined: [], endsAt, workers: new Set(), results: [] };
      current = round;
      try {
        const places = Math.min(LIMITS.registryProbesAtOnce, queue.length);
        for (let place = 0; place < places; place++) employ(round);
        while (round.workers.size > 0) await Promise.all(round.workers);
      } finally {
        current = undefined;
        await flush(round);
      }
    },
    join(instance) {
      if (
        !current ||
        current.queue.some(({ service, id }) => service === instance.service && id === instance.id)
      )
        return;
      if (current.joined.length >= LIMITS.registryProbesPerRound) return;
      current.joined.push(instance);
      if (current.workers.size < LIMITS.registryProbesAtOnce) employ(current);
    },
  };
};
