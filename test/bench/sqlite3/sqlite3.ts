/** The calls of the package `sqlite3` that Emmett makes, over Node's own SQLite: no thread stands between, so none is slower. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

interface Outcome {
  readonly lastID: number;
  readonly changes: number;
}

type Callback = (this: Outcome, error: Error | null, answer?: unknown) => void;
type Values = readonly unknown[];

const NOTHING: Outcome = { lastID: 0, changes: 0 };

/** As the original binds: what SQLite has no type for goes as its text. */
const bound = (values: Values): SQLInputValue[] =>
  values.map((value) => {
    if (typeof value === "boolean") return Number(value);
    return typeof value === "object" && value !== null ? String(value) : (value as SQLInputValue);
  });

/** A class, because the original is called with `new`. */
class Database {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
  }

  run(sql: string, values?: Values | Callback, callback?: Callback): void {
    const [given, then] = typeof values === "function" ? [[], values] : [values ?? [], callback];
    this.#answer(sql, then, (statement) => {
      const { lastInsertRowid, changes } = statement.run(...bound(given));
      return { outcome: { lastID: Number(lastInsertRowid), changes: Number(changes) } };
    });
  }

  get(sql: string, values: Values, callback: Callback): void {
    this.#answer(sql, callback, (statement) => ({ answer: statement.get(...bound(values)) }));
  }

  all(sql: string, values: Values, callback: Callback): void {
    this.#answer(sql, callback, (statement) => ({ answer: statement.all(...bound(values)) }));
  }

  close(): void {
    this.#database.close();
  }

  #answer(
    sql: string,
    callback: Callback | undefined,
    ask: (statement: StatementSync) => { outcome?: Outcome; answer?: unknown },
  ): void {
    let asked: ReturnType<typeof ask>;
    try {
      asked = ask(this.#database.prepare(sql));
    } catch (error) {
      // The original's `errno` is SQLite's primary code, the low byte of the extended one.
      const errno = (error as { errcode?: number }).errcode;
      callback?.call(NOTHING, Object.assign(error as Error, errno !== undefined && { errno: errno & 0xff }));
      return;
    }
    callback?.call(asked.outcome ?? NOTHING, null, asked.answer);
  }
}

export default { Database, OPEN_READWRITE: 2, OPEN_CREATE: 4, OPEN_URI: 64 };
