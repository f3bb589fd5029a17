/** Whether enough isolates see an instance fail that the others should be told. In memory alone: isolates say it again. */
import { LIMITS } from "#shared/limits.ts";
import { forwardClock } from "#shared/resilience/breaker-clock.ts";
import type { BreakerName, BreakerNews, BreakerReport } from "#shared/resilience/hints/breaker-hint.ts";
import { isBad } from "#shared/resilience/hints/hinted-breakers.ts";
import type { Clock } from "#shared/runtime/clock.ts";

/** Chosen by the simulation: docs/reference/breaker-hints.md. */
export const QUORUM = {
  /** Isolates that see it fail, at least. */
  isolates: 3,
  /** Their share of all isolates that have called it lately and said how it went. */
  share: 0.5,
  /** Others are asked for so long before a hint: two looks, as who is asked with one answers with the next. */
  askMs: 2_500,
  /** How long an isolate's word counts; it says it again every 5 seconds while it has calls and is asked. */
  wordMs: 12_000,
  /** How long one hint stands. While the quorum lasts another one follows, which asks all once more. */
  hintMs: 20_000,
} as const;

/** An instance that somebody says fails. Times are epoch milliseconds. */
export interface BreakerStanding extends BreakerName {
  /** Isolates whose breaker is open. */
  readonly open: number;
  /** Isolates that see it fail, those with an open breaker included. */
  readonly failing: number;
  /** Isolates that see it well. */
  readonly well: number;
  /** Of the calls in their windows. */
  readonly calls: number;
  readonly failures: number;
  /** Since when isolates are hinted at it, without a break. */
  readonly hintSince?: number;
}

export interface BreakerQuorum {
  report(isolate: string, report: BreakerReport): void;
  news(): BreakerNews;
  /** By service and instance. */
  standings(): readonly BreakerStanding[];
}

interface Word extends Pick<BreakerReport, "state" | "calls" | "failures"> {
  readonly atMs: number;
}

interface Suspect extends BreakerName {
  readonly sinceMs: number;
  /** By isolate, who spoke longest ago first. */
  readonly words: Map<string, Word>;
  hint?: { readonly id: number; readonly untilMs: number; readonly since: number } | undefined;
}

/** News are as old at most; a control isolate remembers them longer. */
const NEWS_MS = 100;

export const breakerQuorum = ({
  clock,
  quorum = QUORUM,
}: {
  clock: Clock;
  quorum?: Readonly<Record<keyof typeof QUORUM, number>>;
}): BreakerQuorum => {
  const now = forwardClock(clock);
  const suspects = new Map<string, Suspect>();
  let newestId = 0;
  let made: { readonly news: BreakerNews; readonly atMs: number } | undefined;

  const suspectOf = ({ service, instance, state }: BreakerReport): Suspect | undefined => {
    const key = `${service}/${instance}`;
    const known = suspects.get(key);
    if (known || state !== "open") return known;
    dropOldestBeyond(suspects, LIMITS.breakerSuspects - 1);
    const suspect: Suspect = { service, instance, sinceMs: now(), words: new Map() };
    suspects.set(key, suspect);
    made = undefined;
    return suspect;
  };

  const hintFor = (at: number, before: Suspect["hint"]): Suspect["hint"] => {
    newestId = Math.max(newestId + 1, Math.floor(clock()));
    return { id: newestId, untilMs: at + quorum.hintMs, since: before?.since ?? clock() };
  };

  const judge = (suspect: Suspect, at: number): void => {
    const { failing, well } = countsOf(suspect);
    const agreed =
      failing >= quorum.isolates &&
      failing >= quorum.share * (failing + well) &&
      at - suspect.sinceMs >= quorum.askMs;
    if (!agreed) suspect.hint = undefined;
    else if (!suspect.hint || at >= suspect.hint.untilMs) suspect.hint = hintFor(at, suspect.hint);
  };

  /** Forgets words that are too old, and whoever nobody sees fail any more. */
  const sweep = (): void => {
    const at = now();
    for (const [key, suspect] of suspects) {
      for (const [isolate, { atMs }] of suspect.words) {
        if (at - atMs < quorum.wordMs) break;
        suspect.words.delete(isolate);
      }
      if (countsOf(suspect).failing === 0) suspects.delete(key);
      else judge(suspect, at);
    }
  };

  return {
    report(isolate, report) {
      const words = suspectOf(report)?.words;
      if (!words) return;
      words.delete(isolate);
      const { state, calls, failures } = report;
      if (state === "closed" && calls === 0) return;
      words.set(isolate, { state, calls, failures, atMs: now() });
      dropOldestBeyond(words, LIMITS.breakerVotes);
    },
    news() {
      const at = now();
      if (made && at - made.atMs < NEWS_MS) return made.news;
      sweep();
      const all = [...suspects.values()];
      const hints = all.flatMap(({ service, instance, hint }) =>
        hint ? [{ service, instance, id: hint.id, forMs: hint.untilMs - at }] : [],
      );
      const news = { hints, asked: all.map(({ service, instance }) => ({ service, instance })) };
      made = { news, atMs: at };
      return news;
    },
    standings() {
      sweep();
      const byName = (a: BreakerName, b: BreakerName) =>
        compare(a.service, b.service) || compare(a.instance, b.instance);
      return [...suspects.values()].map(standingOf).sort(byName);
    },
  };
};

const countsOf = ({ words }: Suspect) => {
  const counts = { open: 0, failing: 0, well: 0, calls: 0, failures: 0 };
  for (const word of words.values()) {
    if (word.state === "open") counts.open += 1;
    if (isBad(word)) counts.failing += 1;
    else counts.well += 1;
    counts.calls += word.calls;
    counts.failures += word.failures;
  }
  return counts;
};

const standingOf = (suspect: Suspect): BreakerStanding => {
  const { service, instance, hint } = suspect;
  return { service, instance, ...countsOf(suspect), ...(hint && { hintSince: hint.since }) };
};

const dropOldestBeyond = (map: Map<string, unknown>, most: number): void => {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
