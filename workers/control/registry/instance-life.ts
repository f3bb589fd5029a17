/** What becomes of an instance by probes, leases and words: pure, one function for each thing that can happen. */
import type { InstanceState } from "#shared/registry/instance.ts";
import type { HealthCheck, OwnState } from "./registration.ts";

/** What an instance's state is made of. Times are epoch milliseconds. */
export interface Life {
  /** What leases and probes say. */
  readonly health: "starting" | "up" | "degraded" | "down";
  /** What the instance said of itself when it last registered. */
  readonly said: OwnState;
  /** The last successful probe answered that it is degraded. */
  readonly strained: boolean;
  readonly outOfService: boolean;
  readonly draining: boolean;
  /** Probes in a row. */
  readonly successes: number;
  readonly failures: number;
  readonly probeAt?: number | undefined;
  readonly leaseEndsAt?: number | undefined;
  /** The lease ended while nobody judged leases, and was given once more. */
  readonly leaseGiven: boolean;
  readonly leaseLost: boolean;
  readonly removeAt?: number | undefined;
  /** When it fell from being used to being down; undefined for one that was not used. */
  readonly fellAt?: number | undefined;
  /** Whether a mass failure makes it `degraded` instead of `down`: once for each fall. */
  readonly shield: "none" | "on" | "over";
  readonly shieldedUntil?: number | undefined;
}

export interface Terms {
  readonly health: HealthCheck | false;
  readonly ttlMs?: number | undefined;
}

/** How long an instance whose lease ran out is still told of. */
const LOST_KEPT_MS = 10 * 60_000;
/** Leases that ended longer ago than this ended unwatched: the control plane was away, and nobody could renew. */
const LEASE_LATE_MS = 10_000;

const NEW: Life = {
  health: "starting",
  said: "up",
  strained: false,
  outOfService: false,
  draining: false,
  successes: 0,
  failures: 0,
  leaseGiven: false,
  leaseLost: false,
  shield: "none",
};

/** Its state, as others are told. */
export const stateOf = (life: Life): InstanceState => {
  if (life.draining) return "draining";
  if (life.outOfService) return "out_of_service";
  if (life.health === "down") return life.shield === "on" ? "degraded" : "down";
  if (life.health === "starting" || life.said === "starting") return "starting";
  return life.health === "degraded" || life.said === "degraded" || life.strained ? "degraded" : "up";
};

/** Whether work goes to it because it is believed to be well. */
export const isWell = (life: Life): boolean =>
  life.health !== "down" && (stateOf(life) === "up" || stateOf(life) === "degraded");

/** Whether it fell since then and still lies there: what a mass failure is counted by. */
export const fellSince = (life: Life, since: number): boolean =>
  life.fellAt !== undefined && life.fellAt >= since && !life.draining && !life.outOfService;

const leaseFrom = ({ ttlMs }: Terms, now: number): number | undefined =>
  ttlMs === undefined ? undefined : now + ttlMs;

/** A new instance, or a new version at the id of another one: only the operator's word outlives the old one. */
export const begin = (
  terms: Terms,
  said: OwnState,
  { now, former }: { now: number; former?: Life },
): Life => ({
  ...NEW,
  said,
  health: terms.health ? "starting" : "up",
  outOfService: former?.outOfService ?? false,
  probeAt: terms.health ? now : undefined,
  leaseEndsAt: leaseFrom(terms, now),
});

/** The same instance again. A renewal does not end a drain: it may have been under way when the drain began. */
export const renew = (life: Life, terms: Terms, { said, now }: { said: OwnState; now: number }): Life => {
  if (life.draining) return life;
  const renewed: Life = {
    ...life,
    said,
    leaseEndsAt: leaseFrom(terms, now),
    leaseGiven: false,
    leaseLost: false,
    removeAt: undefined,
  };
  if (!terms.health) return { ...recovered(renewed), probeAt: undefined };
  return life.leaseLost || life.probeAt === undefined ? { ...renewed, successes: 0, probeAt: now } : renewed;
};

const recovered = (life: Life): Life => ({
  ...life,
  health: "up",
  fellAt: undefined,
  shield: "none",
  shieldedUntil: undefined,
});

const fallen = (life: Life, now: number): Life => ({
  ...life,
  health: "down",
  fellAt: isWell(life) ? now : life.fellAt,
});

export interface ProbeResult {
  readonly ok: boolean;
  readonly degraded?: boolean;
}

/** @param at.now when the result came. @param at.next when the next probe is due */
export const probed = (
  life: Life,
  check: HealthCheck,
  { result, now, next }: { result: ProbeResult; now: number; next: number },
): Life => {
  if (life.draining || life.leaseLost) return life;
  const seen: Life = { ...life, probeAt: next };
  if (result.ok) return succeeded({ ...seen, strained: result.degraded ?? false }, check);
  const failed = { ...seen, successes: 0, failures: life.failures + 1 };
  if (life.health === "down") return failed;
  if (failed.failures >= check.fall) return fallen(failed, now);
  return life.health === "up" ? { ...failed, health: "degraded" } : failed;
};

/** The first success ends starting; what failed before needs `rise` of them. */
const succeeded = (life: Life, check: HealthCheck): Life => {
  const seen = { ...life, failures: 0, successes: life.successes + 1 };
  const enough = life.health === "starting" ? 1 : check.rise;
  return life.health !== "up" && seen.successes >= enough ? recovered(seen) : seen;
};

/** What time alone changes: leases that end, shields that are over. */
export const aged = (life: Life, terms: Terms, now: number): Life => {
  const shieldEnded = life.shield === "on" && life.shieldedUntil !== undefined && life.shieldedUntil <= now;
  const watched: Life = shieldEnded ? { ...life, shield: "over", shieldedUntil: undefined } : life;
  const { leaseEndsAt } = watched;
  if (leaseEndsAt === undefined || leaseEndsAt > now) return watched;
  if (now - leaseEndsAt > LEASE_LATE_MS && !life.leaseGiven) {
    return { ...watched, leaseEndsAt: leaseFrom(terms, now), leaseGiven: true };
  }
  return {
    ...fallen(watched, now),
    leaseLost: true,
    leaseEndsAt: undefined,
    probeAt: undefined,
    removeAt: now + LOST_KEPT_MS,
  };
};

/** No new work; nobody probes it any more, and its vanishing is meant. */
export const drained = (life: Life, removeAt: number): Life => ({
  ...life,
  draining: true,
  removeAt: life.draining ? Math.min(life.removeAt ?? removeAt, removeAt) : removeAt,
  probeAt: undefined,
  leaseEndsAt: undefined,
  fellAt: undefined,
  shield: "none",
  shieldedUntil: undefined,
});

/** Taken out by an operator, it counts in no mass failure; put back, it is what leases and probes say by then. */
export const ordered = (life: Life, outOfService: boolean): Life => ({
  ...life,
  outOfService,
  ...(outOfService && { fellAt: undefined, shield: life.shield === "none" ? "none" : ("over" as const) }),
  ...(outOfService && { shieldedUntil: undefined }),
});

/** A mass failure took it: until then it is only degraded. Once for each fall. */
export const shielded = (life: Life, until: number): Life =>
  life.shield === "none" ? { ...life, shield: "on", shieldedUntil: until } : life;

/** When {@link aged} has something to do, or the instance is to be forgotten. */
export const timerOf = ({ leaseEndsAt, removeAt, shieldedUntil }: Life): number | undefined => {
  const times = [leaseEndsAt, removeAt, shieldedUntil].filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
};
