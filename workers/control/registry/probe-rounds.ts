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
  /** Probes one instance, apart from rounds, for `timeoutMs` at most; undefined for one that is not to be probed. */
  ask(instance: StoredInstance, timeoutMs: number): Promise<Probed | undefined>;
  /** Probes what is due, within the bounds of a round. */
  round(): Promise<void>;
  /** An instance that is to be probed now is part of the round under way: it does not wait for the slow ones. */
  join(instance: StoredInstance): void;
}

/** Instances that are asked in one way, and how many of them at once. */
interface Lane {
  readonly places: number;
  readonly queue: StoredInstance[];
  readonly joined: StoredInstance[];
  readonly workers: Set<Promise<void>>;
}

interface Round {
  readonly endsAt: number;
  readonly urls: Lane;
  readonly bindings: Lane;
  results: Probed[];
}

/** Instances that started together shall not be asked together for ever. */
const JITTER = 0.1;

export const probeRounds = ({ probe, clock, random, due, write }: ProbeRoundsOptions): ProbeRounds => {
  let current: Round | undefined;

  const ask = async (
    asked: StoredInstance,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Promise<Probed | undefined> => {
    const { health } = asked.definition;
    if (!health) return undefined;
    const check = { path: health.path, timeoutMs: Math.min(health.timeoutMs, timeoutMs) };
    const result = await probe(instanceOf(asked), check).catch(() => ({ ok: false }));
    const pauseMs = health.intervalSeconds * 1_000 * (1 + JITTER * (2 * random() - 1));
    return { asked, result, next: clock() + Math.round(pauseMs) };
  };

  const flush = async (round: Round): Promise<void> => {
    const results = round.results;
    round.results = [];
    if (results.length > 0) await write(results);
  };

  const nextOf = (round: Round, lane: Lane): StoredInstance | undefined =>
    lane.joined.shift() ?? (clock() < round.endsAt ? lane.queue.shift() : undefined);

  const work = async (round: Round, lane: Lane): Promise<void> => {
    for (let next = nextOf(round, lane); next; next = nextOf(round, lane)) {
      const probed = await ask(next);
      if (!probed) continue;
      round.results.push(probed);
      // A new instance is wanted now; bad news wait for the rest of the round, to be told from a mass failure.
      if (probed.result.ok && next.life.health === "starting") await flush(round);
    }
  };

  const employ = (round: Round, lane: Lane): void => {
    const worker = work(round, lane);
    lane.workers.add(worker);
    const leave = () => lane.workers.delete(worker);
    worker.then(leave, leave);
  };

  return {
    ask,
    async round() {
      const queue = due(LIMITS.registryProbesPerRound);
      if (queue.length === 0) return;
      const round: Round = {
        endsAt: clock() + LIMITS.registryProbeRoundMs,
        urls: laneOf(LIMITS.registryUrlProbesAtOnce, queue.filter(isAtUrl)),
        bindings: laneOf(
          LIMITS.registryProbesAtOnce - LIMITS.registryUrlProbesAtOnce,
          queue.filter((instance) => !isAtUrl(instance)),
        ),
        results: [],
      };
      current = round;
      try {
        for (const lane of [round.urls, round.bindings]) {
          const workers = Math.min(lane.places, lane.queue.length);
          for (let worker = 0; worker < workers; worker++) employ(round, lane);
        }
        while (round.urls.workers.size + round.bindings.workers.size > 0) {
          await Promise.all([...round.urls.workers, ...round.bindings.workers]);
        }
      } finally {
        current = undefined;
        await flush(round);
      }
    },
    join(instance) {
      const round = current;
      if (!round) return;
      const lane = isAtUrl(instance) ? round.urls : round.bindings;
      const waits = ({ service, id }: StoredInstance) => service === instance.service && id === instance.id;
      if (lane.queue.some(waits) || lane.joined.length >= LIMITS.registryProbesPerRound) return;
      lane.joined.push(instance);
      if (lane.workers.size < lane.places) employ(round, lane);
    },
  };
};

const laneOf = (places: number, queue: StoredInstance[]): Lane => ({
  places,
  queue,
  joined: [],
  workers: new Set(),
});

const isAtUrl = ({ definition }: StoredInstance): boolean => definition.url !== undefined;
