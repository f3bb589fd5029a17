/** The control plane's documents on SQLite in memory, with roll-outs that only remember what was started. */
import { DatabaseSync } from "node:sqlite";
import { newKey, sealer } from "#shared/config/sealing.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import type { ActorSql, SqlRow, SqlValue } from "#shared/runtime/actor.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import { documentStore } from "#workers/control/documents/document-store.ts";
import type { Condition } from "#workers/control/documents/write-documents.ts";
import { createLedger } from "#workers/control/ledger.ts";
import type { DocumentName, RolloutPlan } from "#workers/control/part.ts";

export const documentName = (text: string): DocumentName => {
  const [service = "", profile = ""] = text.split("/");
  return { service, profile };
};

export const oneStep: RolloutPlan = {
  by: "isolate",
  steps: [{ percentage: 10, seconds: 60 }],
  errorRateRise: 0.01,
};

export const testDocuments = ({
  keys = newKey("k1"),
  database = new DatabaseSync(":memory:"),
}: {
  keys?: string;
  database?: DatabaseSync;
} = {}) => {
  const sql = nodeSql(database);
  const faulty = faultySql(sql);
  let now = Date.UTC(2026, 0, 1);
  const clock = () => now++;
  const ledger = createLedger({
    sql: faulty.sql,
    clock,
    beforeChange: async () => faulty.beforeChange?.(),
    afterChange: () => undefined,
  });
  const rolling: DocumentName[] = [];
  const rollouts = {
    touching: (name: DocumentName) =>
      rolling.find(({ service }) => service === name.service || service === "shared"),
    start: (name: DocumentName) => {
      rolling.push(name);
    },
  };
  const store = documentStore({ sql: faulty.sql, ledger, clock, seals: sealer({ keys }), rollouts });
  const { methods } = store;

  /** Writes unconditionally, as the tests need it. */
  const put = (
    text: string,
    content: JsonObject,
    { rollout, ...condition }: Condition & { rollout?: RolloutPlan } = {},
  ) =>
    methods.putDocument({ ...documentName(text), content, reason: "", author: "ann", rollout, ...condition });

  const contentOf = async (text: string) => {
    const read = await methods.readDocument(documentName(text));
    return read.ok ? read.value.content : undefined;
  };

  /** Everything that is at rest, as text. */
  const dump = (): string =>
    sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .map(({ name }) => JSON.stringify(sql.exec(`SELECT * FROM ${name}`)))
      .join("\n");

  return { ...store, ledger, database, faulty, rolling, put, contentOf, dump };
};

/** Throws at the statements that a test names. */
const faultySql = (sql: ActorSql) => {
  const faulty = {
    failsAt: undefined as RegExp | undefined,
    beforeChange: undefined as (() => void) | undefined,
    sql: {
      exec<Row extends SqlRow = SqlRow>(statement: string, ...params: SqlValue[]) {
        if (faulty.failsAt?.test(statement)) throw new Error("The disk is gone");
        return sql.exec<Row>(statement, ...params);
      },
      transaction: <T>(work: () => T) => sql.transaction(work),
    },
  };
  return faulty;
};
