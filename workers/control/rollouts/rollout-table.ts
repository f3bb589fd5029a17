/** Roll-outs under way, as rows: the share that each has, since when, and what was counted. */
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { DocumentName, RolloutPlan } from "../part.ts";
import type { ArmSum } from "./rise.ts";

export interface RolloutRow extends DocumentName {
  /** Safe in a header; names the roll-out in counts and in the hash by which some take part. */
  readonly id: string;
  /** Without steps that go on by themselves once the share was set by hand. */
  readonly plan: RolloutPlan;
  /** Index of the step under way. */
  readonly step: number;
  readonly percentage: number;
  /** Since when the share is this one, epoch milliseconds. */
  readonly sinceMs: number;
  /** The epoch of its last change. */
  readonly epoch: number;
  readonly candidate: ArmSum;
  readonly stable: ArmSum;
}

export interface RolloutTable {
  all(): readonly RolloutRow[];
  find(name: DocumentName): RolloutRow | undefined;
  put(row: RolloutRow): void;
  /** Keeps the epoch in which it ended: until then, isolates had the candidate. */
  remove(name: DocumentName, epoch: number): void;
  /** The epoch in which a roll-out of the document last began, changed or ended; 0 for never. */
  epochOf(name: DocumentName): number;
}

type Stored = { row: string };

export const rolloutTable = (sql: ActorSql): RolloutTable => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS rollouts (
       service TEXT NOT NULL, profile TEXT NOT NULL, epoch INTEGER NOT NULL, row TEXT, PRIMARY KEY (service, profile)
     ) WITHOUT ROWID`,
  );
  const write = ({ service, profile }: DocumentName, epoch: number, row: string | null) =>
    void sql.exec("INSERT OR REPLACE INTO rollouts VALUES (?, ?, ?, ?)", service, profile, epoch, row);
  const parsed = ({ row }: Stored) => JSON.parse(row) as RolloutRow;

  return {
    all: () =>
      sql
        .exec<Stored>("SELECT row FROM rollouts WHERE row IS NOT NULL ORDER BY service, profile")
        .map(parsed),
    find({ service, profile }) {
      const [found] = sql.exec<Stored>(
        "SELECT row FROM rollouts WHERE service = ? AND profile = ? AND row IS NOT NULL",
        service,
        profile,
      );
      return found && parsed(found);
    },
    put: (row) => write(row, row.epoch, JSON.stringify(row)),
    remove: (name, epoch) => write(name, epoch, null),
    epochOf({ service, profile }) {
      const [found] = sql.exec<{ epoch: number }>(
        "SELECT epoch FROM rollouts WHERE service = ? AND profile = ?",
        service,
        profile,
      );
      return found?.epoch ?? 0;
    },
  };
};
