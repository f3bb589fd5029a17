/** What befalls the upstream, or those that call it. */
import { type Scenario, USUAL_FAILURES } from "./fleet.ts";

/** The trouble begins when windows are full. */
export const BEGINS = 30;
export const ENDS = 150;
const SECONDS = 240;

const upstreamFails = (title: string, share: number): Scenario => ({
  title,
  seconds: SECONDS,
  failing: (_, second) => (second >= BEGINS && second < ENDS ? share : USUAL_FAILURES),
  bad: () => false,
});

/** The upstream is well; for these isolates all calls fail. */
const isolatesFail = (title: string, bad: (isolate: number) => boolean): Scenario => ({
  title,
  seconds: SECONDS,
  failing: (isolate, second) => (bad(isolate) && second >= BEGINS && second < ENDS ? 1 : USUAL_FAILURES),
  bad,
});

export const SCENARIOS = {
  fails: upstreamFails("The upstream fails every call", 1),
  halfFails: upstreamFails("The upstream fails half of its calls", 0.5),
  /** A busy one: it is the first to open, and opens again and again. */
  oneBad: isolatesFail("One isolate's network is broken, the upstream is well", (isolate) => isolate === 0),
  /** One of ten, of every kind. */
  someBad: isolatesFail(
    "The network of one isolate in ten is broken, the upstream is well",
    (isolate) => isolate % 10 === 0,
  ),
  mostBad: isolatesFail(
    "The network of six isolates in ten is broken, the upstream is well",
    (isolate) => isolate % 10 < 6,
  ),
} as const satisfies Record<string, Scenario>;
