/** How isolates share what their breakers see: not at all, by hints, or by opening all when one opens. */
import type { Breaker, BreakerTransition } from "#shared/resilience/breaker.ts";
import {
  type BreakerNews,
  type BreakerReport,
  NO_BREAKER_NEWS,
} from "#shared/resilience/hints/breaker-hint.ts";
import { hintedBreakers } from "#shared/resilience/hints/hinted-breakers.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import { breakerQuorum } from "#workers/control/breakers/quorum.ts";

export type Strategy = "isolated" | "hints" | "global";
export const STRATEGIES: readonly Strategy[] = ["isolated", "hints", "global"];

/** One isolate's side. */
export interface Sharer {
  moved(transition: BreakerTransition): void;
  /** Whether it refuses a call for what it heard of others. */
  refuses(): boolean;
  /** Looks: what is to be told leaves now; the answer, made now, is heard when the result is called. */
  look(): () => void;
}

/** The control plane's side: makes the side of each isolate. */
export type Sharing = (isolate: string, breaker: () => Breaker) => Sharer;

const NAME = { service: "upstream", instance: "upstream-1" };
/** What `recent-epoch.ts` remembers, as the smallest system has one control isolate. */
const MEMORY_MS = 250;

export const sharing = (strategy: Strategy, clock: Clock): Sharing =>
  ({ isolated, hints: byHints, global: byGlobalOpen })[strategy](clock);

const isolated = (): Sharing => () => ({
  moved: () => undefined,
  refuses: () => false,
  look: () => () => undefined,
});

const byHints = (clock: Clock): Sharing => {
  const quorum = breakerQuorum({ clock });
  let known: { readonly news: BreakerNews; readonly atMs: number } = {
    news: NO_BREAKER_NEWS,
    atMs: Number.NEGATIVE_INFINITY,
  };
  const newsFor = (reported: boolean): BreakerNews => {
    if (reported || clock() - known.atMs >= MEMORY_MS) known = { news: quorum.news(), atMs: clock() };
    return known.news;
  };
  return (isolate, breaker) => {
    let pending: BreakerReport[] = [];
    const hinted = hintedBreakers({ find: breaker, report: (report) => pending.push(report), clock });
    return {
      moved: (transition) => hinted.moved(NAME, transition),
      refuses: () => false,
      look() {
        const reports = pending;
        pending = [];
        for (const report of reports) quorum.report(isolate, report);
        const news = newsFor(reports.length > 0);
        return () => hinted.heard(news);
      },
    };
  };
};

/** The first open breaker opens all, until its own opening ends or its own trial closes it. */
const byGlobalOpen = (clock: Clock): Sharing => {
  const openings = new Map<string, number>();
  return (isolate, breaker) => {
    let pending: (() => void)[] = [];
    let untilMs = 0;
    return {
      moved({ to }) {
        const state = breaker().state();
        const endMs = clock() + (state.kind === "open" ? state.remainingMs : 0);
        if (to === "open") pending.push(() => openings.set(isolate, endMs));
        if (to === "closed") pending.push(() => openings.delete(isolate));
      },
      refuses: () => clock() < untilMs && breaker().state().kind === "closed",
      look() {
        for (const tell of pending) tell();
        pending = [];
        const newest = Math.max(0, ...openings.values());
        return () => {
          untilMs = newest;
        };
      },
    };
  };
};
