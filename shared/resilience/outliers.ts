/** Passive outlier ejection: an instance that fails while its peers do not gets no work for a while. */
import type { Instance } from "../registry/instance.ts";
import type { Clock } from "../runtime/clock.ts";
import { forwardClock } from "./breaker-clock.ts";
import { belowItsPeers, type SuccessCounts } from "./outliers-success-rate.ts";

export interface OutlierSettings {
  /** Failures in a row that eject; 5 when absent. */
  readonly consecutiveFailures?: number;
  /** How often success rates are compared, each time those since the last; 10 s when absent. */
  readonly compareEveryMs?: number;
  /** Fewer requests than this say nothing about a rate; 20 when absent. */
  readonly requestsMin?: number;
  /** Ejected is whose success rate is this many standard errors below that of its peers; 3 when absent. */
  readonly deviations?: number;
  /** A rate within this much of its peers' is well enough, however sure the difference; 0.1 when absent. */
  readonly gapMin?: number;
  /** The first ejection; the next ones are 2, 3, … times as long. 30 s when absent. */
  readonly ejectionMs?: number;
  /** No ejection is longer; 5 min when absent. */
  readonly ejectionMaxMs?: number;
  /** At most this share is ejected at once, though one of two or more may always be. 0.1 when absent. */
  readonly shareMax?: number;
  /** When less than this share would remain nobody counts as ejected: bad answers are better than none. 0.5 when absent. */
  readonly panicShare?: number;
}

type Named = Pick<Instance, "id">;

/** Of the instances of one service and major. */
export interface Outliers {
  /**
   * Tells whom not to choose; undefined when nobody is ejected, so that nothing need be asked.
   * @param eligible the same array until they change (registry/lookup.ts)
   */
  except(eligible: readonly Named[]): ((target: Named) => boolean) | undefined;
  /** One answer. What an instance answers while it is ejected does not count, nor that of one not seen by `except`. */
  finished(target: Named, failed: boolean): void;
}

interface Standing extends SuccessCounts {
  failuresInRow: number;
  ejected: boolean;
  /** Milliseconds of the forward clock. */
  returnsAt: number;
  /** How often it was ejected, less one for each comparison that it has passed since. */
  ejections: number;
}

export const outliers = (clock: Clock, settings: OutlierSettings = {}): Outliers => {
  const { consecutiveFailures = 5, compareEveryMs = 10_000, requestsMin = 20, deviations = 3 } = settings;
  const { gapMin = 0.1, ejectionMs = 30_000, ejectionMaxMs = 300_000 } = settings;
  const { shareMax = 0.1, panicShare = 0.5 } = settings;
  const time = forwardClock(clock);
  let standings = new Map<string, Standing>();
  let list: readonly Named[] = [];
  let ejectedNow = 0;
  let ejectedMax = 0;
  let compareAt = compareEveryMs;

  const look = (eligible: readonly Named[]): void => {
    list = eligible;
    standings = new Map(eligible.map(({ id }) => [id, standings.get(id) ?? newStanding()]));
    ejectedMax = eligible.length < 2 ? 0 : Math.max(1, Math.floor(eligible.length * shareMax));
    const ejected = [...standings.values()].filter((each) => each.ejected);
    ejectedNow = ejected.length;
    // Fewer instances allow fewer ejections: who would return first does so now.
    ejected.sort((one, other) => one.returnsAt - other.returnsAt);
    for (const standing of ejected.slice(0, Math.max(0, ejectedNow - ejectedMax))) restore(standing);
  };

  const eject = (standing: Standing, now: number): void => {
    if (ejectedNow >= ejectedMax) return;
    standing.ejected = true;
    standing.ejections++;
    standing.returnsAt = now + Math.min(ejectionMaxMs, ejectionMs * standing.ejections);
    ejectedNow++;
  };

  const restore = (standing: Standing): void => {
    standing.ejected = false;
    standing.failuresInRow = 0;
    standing.answers = 0;
    standing.failures = 0;
    ejectedNow--;
  };

  const restoreDue = (now: number): void => {
    for (const standing of standings.values()) {
      if (standing.ejected && standing.returnsAt <= now) restore(standing);
    }
  };

  const compare = (now: number): void => {
    compareAt = now + compareEveryMs;
    const judged = [...standings.values()].filter((each) => !each.ejected && each.answers >= requestsMin);
    const worstFirst = belowItsPeers(judged, { deviations, gapMin });
    for (const standing of worstFirst) eject(standing, now);
    for (const standing of standings.values()) {
      const passed = standing.answers > 0 && !standing.ejected && !worstFirst.includes(standing);
      if (passed && standing.ejections > 0) standing.ejections--;
      standing.answers = 0;
      standing.failures = 0;
    }
  };

  const isEjected = ({ id }: Named): boolean => standings.get(id)?.ejected ?? false;

  return {
    except(eligible) {
      if (list !== eligible) look(eligible);
      if (ejectedNow === 0) return undefined;
      restoreDue(time());
      const remaining = (list.length - ejectedNow) / list.length;
      return ejectedNow === 0 || remaining < panicShare ? undefined : isEjected;
    },
    finished({ id }, failed) {
      const now = time();
      if (now >= compareAt) compare(now);
      const standing = standings.get(id);
      if (!standing || standing.ejected) return;
      standing.answers++;
      if (!failed) {
        standing.failuresInRow = 0;
        return;
      }
      standing.failures++;
      standing.failuresInRow++;
      if (standing.failuresInRow >= consecutiveFailures) eject(standing, now);
    },
  };
};

const newStanding = (): Standing => ({
  answers: 0,
  failures: 0,
  failuresInRow: 0,
  ejected: false,
  returnsAt: 0,
  ejections: 0,
});
