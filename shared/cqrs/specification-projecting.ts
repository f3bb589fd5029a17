/** States what a projection shows as a test reads best: given events, then rows. */
import { expect } from "vitest";
import type { Commit, DomainEvent } from "../events/event.ts";
import { type MemoryTables, makeRowChange } from "./memory-rows.ts";
import type { Projection } from "./projection.ts";
import type { Row } from "./row-change.ts";

interface Shown {
  /** Exactly these rows, in the order in which they came. */
  shows(table: string, rows: readonly Row[]): void;
}

/** When the nth event of a specification happened: a second after the one before. */
export const timeOfEvent = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

/**
 * `projecting(payments).given(authorised, voided).shows("payments", [{ … }])`; for tests only. Each event is a commit, and
 * the rows must come out the same whether the commits come all at once or one by one. Rows stand in memory: what a database
 * makes of them is the read store's test.
 */
export const projecting = <Event extends DomainEvent>(
  projection: Pick<Projection, "tables" | "changes">,
  aggregate: Commit["aggregate"] = { type: "any", id: "any" },
) => ({
  given(...events: readonly Event[]): Shown {
    const commits = events.map((event, index) => commitOf(event, index, aggregate));
    const atOnce = rowsAfter(projection, [commits]);
    const oneByOne = rowsAfter(
      projection,
      commits.map((commit) => [commit]),
    );
    return {
      shows(table, rows) {
        expect(atOnce(table), "all commits at once").toEqual(rows);
        expect(oneByOne(table), "one commit after the other").toEqual(rows);
      },
    };
  },
});

const commitOf = (event: DomainEvent, index: number, aggregate: Commit["aggregate"]): Commit => {
  const recorded = { ...event, id: `c${index}/0`, time: timeOfEvent(index), version: index + 1 };
  return {
    aggregate,
    position: index + 1,
    commandId: `c${index}`,
    trace: {},
    metadata: {},
    events: [recorded],
  };
};

const rowsAfter = (
  { tables: names, changes }: Pick<Projection, "tables" | "changes">,
  batches: readonly (readonly Commit[])[],
) => {
  const tables: MemoryTables = new Map(names.map((name) => [name, new Map()]));
  for (const batch of batches) {
    for (const change of changes(batch)) {
      makeRowChange(tables, change);
    }
  }
  return (table: string): readonly Row[] => [...(tables.get(table)?.values() ?? [])];
};
