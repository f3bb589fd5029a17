/** The read store port: rows and checkpoints of one service, which change together or not at all. */
import type { RowChange } from "./row-change.ts";

/** Where a checkpoint has to stand for a transaction to be made; one that was never written stands at 0. */
export interface Guard {
  readonly name: string;
  readonly at: number;
}

/** Of every transaction: with one guard elsewhere nothing is changed, and the answer is "moved". */
export interface Guarded {
  readonly guards?: readonly Guard[];
}

export interface ReadStore {
  /** Position up to which the projection has been applied; 0 for a new one. */
  checkpoint(projection: string): Promise<number>;
  /**
   * Makes the changes in order and moves the checkpoint, all or nothing.
   * @returns "moved" when the checkpoint was not at `from`: somebody else has applied these commits
   */
  apply(
    change: Guarded & {
      projection: string;
      from: number;
      to: number;
      changes: readonly RowChange[];
    },
  ): Promise<"applied" | "moved">;
  /** `<table>__<suffix>` for each table: empty, with its indexes. Those that stand are kept as they are. */
  createCopies(of: Guarded & { tables: readonly string[]; suffix: string }): Promise<"made" | "moved">;
  /** Whether the tables are still what they were copied from: a migration may have changed them. */
  copiesFit(of: { tables: readonly string[]; suffix: string }): Promise<boolean>;
  /**
   * In one transaction, and only when both checkpoints stand at `at`: the copies take the tables' names, and the copies'
   * checkpoint goes. The tables that they replace go too, or stay as `<table>__<keepAs>`.
   */
  takeOver(
    of: Guarded & {
      tables: readonly string[];
      suffix: string;
      projection: string;
      copy: string;
      at: number;
      keepAs?: string;
    },
  ): Promise<"taken" | "moved">;
  /** Drops the copies that stand, and their checkpoint. */
  dropCopies(
    of: Guarded & { tables: readonly string[]; suffix: string; copy: string },
  ): Promise<"dropped" | "moved">;
}
