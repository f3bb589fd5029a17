/** The end of a candidate, as roll-outs decide it; each end is an entry of the history. */
import type { JsonObject } from "#shared/control/changes.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Candidates, DocumentName } from "../part.ts";
import { nameOf } from "./document.ts";
import type { DocumentRow, DocumentTables } from "./document-tables.ts";

type End = Parameters<Candidates["promote"]>[1];

export const documentCandidates = (tables: DocumentTables, clock: Clock): Candidates => {
  const rolling = (name: DocumentName): DocumentRow => {
    const row = tables.find(name);
    if (!row || row.candidate === null) {
      throw new Error(`Ending the roll-out of "${nameOf(name)}": expected a candidate`);
    }
    return row;
  };

  /** The document has another epoch in both cases: isolates must hear that there is no candidate any more. */
  const end = (
    row: DocumentRow,
    kind: "promoted" | "withdrawn",
    { content, by, epoch }: { content: JsonObject | null; by: End; epoch: number },
  ): void => {
    const revision = row.newest + 1;
    const { author, reason } = by;
    tables.append(row, { revision, kind, content, author, reason, at: clock(), epoch });
    tables.save({ ...row, newest: revision, stable: content && revision, candidate: null, epoch });
  };

  return {
    promote(name, by, epoch) {
      const row = rolling(name);
      const content = tables.contentAt(name, row.candidate) ?? null;
      end(row, "promoted", { content, by, epoch });
    },
    withdraw(name, by, epoch) {
      const row = rolling(name);
      const content = tables.contentAt(name, row.stable) ?? null;
      end(row, "withdrawn", { content, by, epoch });
    },
  };
};
