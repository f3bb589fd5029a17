/** Which flags are others than they were, for at least one who asks. */
import { canonicalJson } from "../../http/canonical-json.ts";
import type { FlagTable } from "./flag.ts";

/** The flags in force: one table, or two and what divides those who ask among them. */
export interface FlagSides {
  readonly stable: FlagTable;
  readonly candidate?: { readonly flags: FlagTable; readonly dividedBy: string };
}

/** Their keys. A flag that both sides have alike does not change with who is on which. */
export const changedFlags = (before: FlagSides, after: FlagSides): readonly string[] => {
  const tables = [before, after].flatMap(({ stable, candidate }) => [stable, candidate?.flags ?? stable]);
  const keys = new Set(tables.flatMap((table) => Object.keys(table)));
  return [...keys].filter((key) => servedBy(before, key) !== servedBy(after, key));
};

const servedBy = ({ stable, candidate }: FlagSides, key: string): string => {
  const all = flagText(stable, key);
  const some = candidate ? flagText(candidate.flags, key) : all;
  return all === some ? all : `${all} ${some} ${candidate?.dividedBy}`;
};

const flagText = (table: FlagTable, key: string): string =>
  Object.hasOwn(table, key) ? canonicalJson(table[key]) : "";
