/** Roll-outs under way, as rows: the share that each has, since when, and what was counted. */
import { LIMITS } from "#shared/limits.ts";
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
  /** More fails by the candidate than without it, of this service or, without a name, of all together: it goes back. */
  readonly risen?: { readonly service?: string };
}

/** What was counted of one service under a roll-out. */
export interface ServiceSums {
  readonly candidate: ArmSum;
  readonly stable: ArmSum;
}

export interface RolloutTable {
  all(): readonly RolloutRow[];
  find(name: DocumentName): RolloutRow | undefined;
  put(row: RolloutRow): void;
  /** What was counted of one service under the document's roll-out. */
  sumsOf(name: DocumentName, service: string): ServiceSums;
  /** Of `LIMITS.rolloutServices` services at most: others count among all only. */
  putSums(name: DocumentName, service: string, sums: ServiceSums): void;
  /** Keeps the epoch in which it ended: until then, isolates had the candidate. */
  remove(name: DocumentName, epoch: number): void;
  /** The epoch in which a roll-out of the document last began, changed or ended; 0 for never. */
  epochOf(name: DocumentName): number;
}

export const NONE_COUNTED: ArmSum = { answers: 0, failures: 0 };

type Stored = { row: string };

export const rolloutTable = (sql: ActorSql): RolloutTable => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS rollouts (
       service TEXT NOT NULL, profile TEXT NOT NULL, epoch INTEGER NOT NULL, row TEXT, PRIMARY KEY (service, profile)
     ) WITHOUT ROWID`,
  );
  sql.exec(
    `CREATE TABLE IF NOT EXISTS rollout_sums (
       service TEXT NOT NULL, profile TEXT NOT NULL, counted TEXT NOT NULL, sums TEXT NOT NULL,
       PRIMARY KEY (service, profile, counted)
     ) WITHOUT ROWID`,
  );
  const sumsAt = ({ service, profile }: DocumentName, counted: string): ServiceSums | undefined => {
    const [found] = sql.exec<{ sums: string }>(
      "SELECT sums FROM rollout_sums WHERE service = ? AND profile = ? AND counted = ?",
      ...[service, profile, counted],
    );
    return found && (JSON.parse(found.sums) as ServiceSums);
  };
  const hasRoom = ({ service, profile }: DocumentName): boolean => {
    const [row] = sql.exec<{ n: number }>(
      "SELECT COUNT(*) AS n FROM rollout_sums WHERE service = ? AND profile = ?",
      ...[service, profile],
    );
    return (row?.n ?? 0) < LIMITS.rolloutServices;
  };
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
    sumsOf: (name, counted) => sumsAt(name, counted) ?? { candidate: NONE_COUNTED, stable: NONE_COUNTED },
    putSums(name, counted, sums) {
      if (!sumsAt(name, counted) && !hasRoom(name)) return;
      sql.exec(
        "INSERT OR REPLACE INTO rollout_sums VALUES (?, ?, ?, ?)",
        ...[name.service, name.profile, counted, JSON.stringify(sums)],
      );
    },
    remove(name, epoch) {
      write(name, epoch, null);
      sql.exec("DELETE FROM rollout_sums WHERE service = ? AND profile = ?", name.service, name.profile);
    },
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
