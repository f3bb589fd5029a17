/** The picture of docs/reference/breaker-hints.md, and the figures behind it. */
import { RATES } from "./fleet.ts";
import type { Measurements, ScenarioName } from "./measure.ts";
import { BEGINS, ENDS, SCENARIOS } from "./scenarios.ts";
import { STRATEGIES, type Strategy } from "./sharing.ts";
import { type Line, type Panel, svgChart } from "./svg-chart.ts";

export const STRATEGY_NAMES: Readonly<Record<Strategy, Pick<Line, "name" | "look">>> = {
  isolated: { name: "each alone", look: "first" },
  hints: { name: "hints", look: "second" },
  global: { name: "one opens all", look: "third" },
};

const panel = (measured: Measurements, scenario: ScenarioName, what: "wasted" | "lost"): Panel => ({
  title: SCENARIOS[scenario].title,
  unit: what === "wasted" ? "Calls wasted on it so far" : "Calls of the other isolates refused so far",
  lines: STRATEGIES.map((strategy) => ({
    ...STRATEGY_NAMES[strategy],
    values: measured[scenario][strategy][`${what}By`],
  })),
});

export const picture = (measured: Measurements): string =>
  svgChart({
    title: `${RATES.length} isolates and one upstream: calls wasted and lost by how breakers share what they see`,
    panels: [
      panel(measured, "fails", "wasted"),
      panel(measured, "halfFails", "wasted"),
      panel(measured, "oneBad", "lost"),
    ],
    zero: BEGINS,
    secondsName: "Seconds since the trouble began",
    shaded: { seconds: ENDS - BEGINS, name: "in trouble" },
  });

/** As the formatter leaves it: lists of numbers on one line would be broken. */
export const figures = (measured: Measurements): string => {
  const rows = Object.entries(measured).map(([name, strategies]) => [
    name,
    {
      title: SCENARIOS[name as ScenarioName].title,
      ...Object.fromEntries(
        Object.entries(strategies).map(([strategy, { wastedBy, lostBy, ...sums }]) => [
          strategy,
          { ...sums, wastedBy: wastedBy.join(" "), lostBy: lostBy.join(" ") },
        ]),
      ),
    },
  ]);
  return `${JSON.stringify({ isolates: RATES.length, begins: BEGINS, ends: ENDS, scenarios: Object.fromEntries(rows) }, null, 2)}\n`;
};
