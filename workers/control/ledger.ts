/** The ledger of the control plane: one transaction per change, under an epoch that only grows. */
import type { Result } from "#shared/result.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import type { Clock } from "#shared/runtime/clock.ts";
import type { Ledger } from "./part.ts";

export interface OriginLedger extends Ledger {
  /** The epoch with which this ledger began: who has an older one has it from a ledger that is gone. */
  origin(): number;
}

export interface LedgerOptions {
  readonly sql: ActorSql;
  readonly clock: Clock;
  /** Waited for before each change: sets the alarm by which what follows a change happens also after a crash. */
  readonly beforeChange: () => Promise<void>;
  /** Called after each change that was made; what it throws is nobody's refusal and is thrown on. */
  readonly afterChange: (epoch: number) => void;
}

/**
 * Epochs begin at the time of the ledger's making, in milliseconds: a control plane that lost its storage goes on above all
 * epochs that it ever gave out, as long as it never made a thousand changes a second all the time.
 */
export const createLedger = ({ sql, clock, beforeChange, afterChange }: LedgerOptions): OriginLedger => {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS ledger (
       id INTEGER PRIMARY KEY CHECK (id = 1), origin INTEGER NOT NULL, epoch INTEGER NOT NULL, changed_at INTEGER NOT NULL
     )`,
  );
  const start = Math.max(1, clock());
  sql.exec("INSERT OR IGNORE INTO ledger VALUES (1, ?, ?, ?)", start, start, start);
  let state = readState(sql);

  /** The row is raised last, in the same transaction; a refusal is thrown to roll back, and returned all the same. */
  const raise = <Value, Refusal>(work: (epoch: number) => Result<Value, Refusal>): Result<Value, Refusal> => {
    const epoch = state.epoch + 1;
    const changed_at = Math.max(state.changed_at, clock());
    let result: Result<Value, Refusal> | undefined;
    try {
      sql.transaction(() => {
        result = work(epoch);
        if (!result.ok) throw new Error("The change was refused");
        sql.exec("UPDATE ledger SET epoch = ?, changed_at = ? WHERE id = 1", epoch, changed_at);
      });
    } catch (thrown) {
      if (result && !result.ok) return result;
      throw thrown;
    }
    state = { ...state, epoch, changed_at };
    return result as Result<Value, Refusal>;
  };

  return {
    epoch: () => state.epoch,
    changedAt: () => state.changed_at,
    origin: () => state.origin,
    async change(work) {
      await beforeChange();
      const result = raise(work);
      if (result.ok) afterChange(state.epoch);
      return result;
    },
  };
};

export interface MarkedLedger extends Ledger {
  /** The newest epoch that may have been a change made here. */
  newestEpoch(): number;
}

/** The same ledger for those of one kind. What was changed before this was made may have been of that kind. */
export const markedLedger = (ledger: Ledger): MarkedLedger => {
  let newest = ledger.epoch();
  return {
    ...ledger,
    newestEpoch: () => newest,
    change: (work) =>
      ledger.change((epoch) => {
        const result = work(epoch);
        // Within the transaction: whoever reads the new epoch finds it marked.
        if (result.ok) newest = epoch;
        return result;
      }),
  };
};

type State = { origin: number; epoch: number; changed_at: number };

const readState = (sql: ActorSql): State => {
  const [row] = sql.exec<State>("SELECT origin, epoch, changed_at FROM ledger WHERE id = 1");
  if (!row) throw new Error("Reading the ledger: its row is gone; expected the one that was just made");
  return row;
};
