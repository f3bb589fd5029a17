/** What an isolate knows of the instances of one service and major: how many requests each has, and how long it takes. */
import { LIMITS } from "../../limits.ts";
import type { Clock } from "../../runtime/clock.ts";
import { forwardClock } from "../breaker-clock.ts";
import type { AttemptOutcome, Balanced, PickOptions } from "./balancer.ts";
import { type InFlight, inFlight } from "./in-flight.ts";
import { rampedWeight } from "./slow-start.ts";
import { wholeOf } from "./subset.ts";

export interface LoadSettings {
  /** How soon a peak of latency is forgotten: after this long a third of it is left. 10 s when absent. */
  readonly decayMs?: number;
  /** A new instance's way to its whole weight; 0, none, when absent. */
  readonly slowStartMs?: number;
  /** A failure counts as having taken at least this long, lest who fails fast gets the most. 1 s when absent. */
  readonly failureMs?: number;
  /** The own zone is used alone while it has this share of what zones have on average. 0.7 when absent. */
  readonly zoneShareMin?: number;
  /** A request that is under way for longer is gone: the runtime dropped it. More than any may take; 120 s when absent. */
  readonly heldMsMax?: () => number;
}

/** Instances to choose from. The arrays go together, and are the loads' own: read them before the next pick. */
export interface Group<Target> {
  readonly targets: readonly Target[];
  /** What of its weight each has now. */
  readonly weights: Float64Array;
  /** The sum of the weights up to each. */
  readonly sums: Float64Array;
  /** Smaller is better: expected latency × requests, its own and those it has, by weight. */
  score(index: number): number;
}

/** Shared by all balancers of one service and major, so that routes learn from each other. */
export interface InstanceLoads<Target extends Balanced> {
  /** All of them, or those of the own zone while they have room. What has left the list is forgotten when it is idle. */
  group(eligible: readonly Target[], options: PickOptions<Target>): Group<Target>;
  started(target: Balanced): void;
  finished(target: Balanced, outcome: AttemptOutcome): void;
  /** Requests that an instance has now. */
  inFlight(id: string): number;
  /** Instances remembered. */
  size(): number;
}

interface Load {
  readonly inFlight: InFlight;
  /** Peak-sensitive moving average of latency, as of `costAt`; negative before the first answer. */
  costMs: number;
  costAt: number;
  /** When it became eligible. */
  since: number;
  listed: boolean;
}

interface View<Target> {
  readonly eligible: readonly Target[];
  readonly everyone: Group<Target>;
  readonly zones: ReadonlyMap<string, Group<Target>>;
  /** What a zone has on average, all at their whole weight. */
  readonly zoneWeight: number;
  /** Somebody has not yet its whole weight. */
  ramping: boolean;
}

/** An instance that has not answered yet gets one request; further ones as if it were this slow. */
const UNKNOWN_MS = 1_000;

export const instanceLoads = <Target extends Balanced>(
  clock: Clock,
  settings: LoadSettings = {},
): InstanceLoads<Target> => {
  const { decayMs = 10_000, slowStartMs = 0, failureMs = 1_000, zoneShareMin = 0.7 } = settings;
  const { heldMsMax = () => 120_000 } = settings;
  const time = forwardClock(clock);
  const loads = new Map<string, Load>();
  let now = 0;
  let searchedAt = 0;
  let whole: readonly Target[] | undefined;
  /** Of the whole list, and of those of its instances that some requests want. */
  let views = new WeakMap<readonly Target[], View<Target>>();
  let view: View<Target> | undefined;

  const look = (eligible: readonly Target[]): void => {
    const ids = new Set(eligible.map(({ id }) => id));
    for (const [id, load] of loads) {
      if (ids.has(id)) continue;
      load.listed = false;
      forgetIdle(id, load);
    }
    // Those that were there before anybody looked are not new.
    const since = whole ? now : Number.NEGATIVE_INFINITY;
    for (const id of ids) {
      const known = loads.get(id);
      if (!known) loads.set(id, newLoad(since));
      else if (!known.listed) {
        known.listed = true;
        known.since = now;
      }
    }
    whole = eligible;
    views = new WeakMap();
  };

  const forgetIdle = (id: string, load: Load): void => {
    if (!load.listed && load.inFlight.count() === 0) loads.delete(id);
  };

  const forgetLost = (): void => {
    if (now - searchedAt < LIMITS.bulkheadSearchMs) return;
    searchedAt = now;
    for (const [id, load] of loads) {
      load.inFlight.forgetBefore(now - heldMsMax());
      forgetIdle(id, load);
    }
  };

  const viewFor = (eligible: readonly Target[]): View<Target> => {
    const all = wholeOf(eligible);
    if (all !== whole) look(all);
    const known = views.get(eligible) ?? viewOf(eligible);
    views.set(eligible, known);
    return known;
  };

  const viewOf = (eligible: readonly Target[]): View<Target> => {
    const groups = Map.groupBy(eligible, ({ zone }) => zone ?? "");
    const weight = eligible.reduce((sum, target) => sum + target.weight, 0);
    return {
      eligible,
      everyone: groupOf(eligible),
      zones: new Map([...groups].map(([zone, targets]) => [zone, groupOf(targets)])),
      zoneWeight: weight / Math.max(1, groups.size),
      ramping: slowStartMs > 0,
    };
  };

  const groupOf = (targets: readonly Target[]): Group<Target> => {
    const own = targets.map(({ id }) => loads.get(id) ?? newLoad(now));
    const weights = new Float64Array(targets.length);
    const score = (index: number): number => {
      const load = own[index];
      if (!load) return Number.POSITIVE_INFINITY;
      const requests = load.inFlight.count();
      const unknown = requests === 0 ? 0 : UNKNOWN_MS;
      const cost = load.costMs < 0 ? unknown : load.costMs * Math.exp((load.costAt - now) / decayMs);
      return (cost * (requests + 1)) / (weights[index] ?? 0);
    };
    const group: Group<Target> = { targets, weights, sums: new Float64Array(targets.length), score };
    weigh(group);
    return group;
  };

  /** Whether somebody has less than its whole weight. */
  const weigh = ({ targets, weights, sums }: Group<Target>): boolean => {
    let sum = 0;
    let partly = false;
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index];
      if (!target) continue;
      const weight = rampedWeight(target.weight, now - (loads.get(target.id)?.since ?? now), slowStartMs);
      partly ||= weight < target.weight;
      sum += weight;
      weights[index] = weight;
      sums[index] = sum;
    }
    return partly;
  };

  const hasRoom = ({ targets, weights }: Group<Target>, zoneWeight: number, except?: Except<Target>) => {
    let available = 0;
    for (let index = 0; index < targets.length; index++) {
      const target = targets[index];
      if (target && !except?.(target)) available += weights[index] ?? 0;
    }
    return available > 0 && available >= zoneShareMin * zoneWeight;
  };

  return {
    group(eligible, { zone, except }) {
      now = time();
      forgetLost();
      if (view?.eligible !== eligible) view = viewFor(eligible);
      const { everyone, zones, zoneWeight } = view;
      if (view.ramping) {
        view.ramping = weigh(everyone);
        for (const group of zones.values()) weigh(group);
      }
      const own = zone === undefined ? undefined : zones.get(zone);
      return own && hasRoom(own, zoneWeight, except) ? own : everyone;
    },
    started({ id }) {
      loads.get(id)?.inFlight.began(time());
    },
    finished({ id }, { tookMs, failed }) {
      const load = loads.get(id);
      if (!load || load.inFlight.count() === 0) return;
      const at = time();
      load.inFlight.ended(at - tookMs);
      forgetIdle(id, load);
      const sample = failed ? Math.max(tookMs, failureMs) : tookMs;
      const kept = Math.exp((load.costAt - at) / decayMs);
      const decayed = load.costMs * kept;
      // A peak counts at once, what is better only with time (Finagle's peak EWMA): trouble is seen by the first answer.
      load.costMs = load.costMs < 0 || sample >= decayed ? sample : decayed + sample * (1 - kept);
      load.costAt = at;
    },
    inFlight: (id) => loads.get(id)?.inFlight.count() ?? 0,
    size: () => loads.size,
  };
};

type Except<Target> = PickOptions<Target>["except"];

const newLoad = (since: number): Load => ({
  inFlight: inFlight(),
  costMs: -1,
  costAt: 0,
  since,
  listed: true,
});
