/** The figures of all scenarios under all strategies: means of several runs, each with other randomness. */
import { type Outcomes, type Scenario, simulate } from "./fleet.ts";
import { BEGINS, SCENARIOS } from "./scenarios.ts";
import { STRATEGIES, type Strategy } from "./sharing.ts";

export interface Measured {
  /** Calls of one run, whatever became of them. */
  readonly calls: number;
  /** Sent to the upstream in its trouble, and failed. */
  readonly wasted: number;
  /** Refused though the upstream was well, and so was the isolate. */
  readonly lost: number;
  /** From the beginning of the trouble until a second in which at most a tenth of the calls are wasted; null when there is none. */
  readonly protectedAfterSeconds: number | null;
  /** Sums from the beginning to the end of each second. */
  readonly wastedBy: readonly number[];
  readonly lostBy: readonly number[];
}

export type ScenarioName = keyof typeof SCENARIOS;
export type Measurements = Readonly<Record<ScenarioName, Readonly<Record<Strategy, Measured>>>>;

const SEEDS = [1, 2, 3] as const;

export const measureAll = (): Measurements =>
  mapped(SCENARIOS, (scenario: Scenario) =>
    mapped(Object.fromEntries(STRATEGIES.map((name) => [name, name])) as { [S in Strategy]: S }, (strategy) =>
      measured(SEEDS.map((seed) => simulate(scenario, strategy, seed))),
    ),
  );

const measured = (runs: readonly Outcomes[]): Measured => {
  const mean = (of: (run: Outcomes) => number) =>
    Math.round(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
  const sumsOf = (what: keyof Outcomes) =>
    runs[0]?.[what].map((_, second) => mean((run) => total(run[what].slice(0, second + 1)))) ?? [];
  return {
    calls: mean((run) => total(run.calls)),
    wasted: mean((run) => total(run.wasted)),
    lost: mean((run) => total(run.lost)),
    protectedAfterSeconds: protectedAfter(runs),
    wastedBy: sumsOf("wasted"),
    lostBy: sumsOf("lost"),
  };
};

const protectedAfter = (runs: readonly Outcomes[]): number | null => {
  const at = (what: keyof Outcomes, second: number) => total(runs.map((run) => run[what][second] ?? 0));
  const seconds = runs[0]?.calls.length ?? 0;
  for (let second = BEGINS; second < seconds; second++)
    if (at("wasted", second) <= 0.1 * at("calls", second)) return second - BEGINS;
  return null;
};

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

const mapped = <Names extends string, In, Out>(
  record: Readonly<Record<Names, In>>,
  map: (value: In) => Out,
): Record<Names, Out> =>
  Object.fromEntries(Object.entries<In>(record).map(([name, value]) => [name, map(value)])) as Record<
    Names,
    Out
  >;
