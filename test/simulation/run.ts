/** `npm run simulate`: many isolates and an upstream in trouble, in virtual time; draws the picture of the docs. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sayOnTerminal as say } from "#cli/progress.ts";
import { ROOT } from "#cli/workers.ts";
import { type Measured, type Measurements, measureAll, type ScenarioName } from "./measure.ts";
import { figures, picture, STRATEGY_NAMES } from "./picture.ts";
import { SCENARIOS } from "./scenarios.ts";
import { STRATEGIES } from "./sharing.ts";

export const PICTURES = join(ROOT, "docs", "pictures");

/** The same figures at every run. */
export const main = async (): Promise<number> => {
  const measured = measureAll();
  await mkdir(PICTURES, { recursive: true });
  for (const [name, text] of [
    ["breaker-hints.svg", picture(measured)],
    ["breaker-hints.json", figures(measured)],
  ] as const) {
    await writeFile(join(PICTURES, name), text);
    say(`  Written to docs/pictures/${name}`);
  }
  process.stdout.write(table(measured));
  return 0;
};

/** As docs/reference/breaker-hints.md has it. */
export const table = (measured: Measurements): string => {
  const rows = (Object.keys(SCENARIOS) as ScenarioName[]).flatMap((name) =>
    STRATEGIES.map((strategy) =>
      row(SCENARIOS[name].title, STRATEGY_NAMES[strategy].name, measured[name][strategy]),
    ),
  );
  return `| What happens | Breakers | Protected after | Wasted calls | Healthy calls refused |\n|---|---|--:|--:|--:|\n${rows.join("\n")}\n`;
};

const row = (title: string, breakers: string, { protectedAfterSeconds, wasted, lost, calls }: Measured) => {
  const after = wasted === 0 ? "" : protectedAfterSeconds === null ? "never" : `${protectedAfterSeconds} s`;
  const share = lost === 0 ? "0" : `${lost.toLocaleString("en")} (${((100 * lost) / calls).toFixed(1)} %)`;
  return `| ${title} | ${breakers} | ${after} | ${wasted.toLocaleString("en")} | ${share} |`;
};
