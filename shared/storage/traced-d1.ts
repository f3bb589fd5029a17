/** A D1 database whose statements appear in the traces of those who run them, by the database conventions. */
import { type Attributes, context, trace } from "@opentelemetry/api";
import { inSpan } from "../telemetry/span.ts";

/** `SELECT … FROM "orders"`, `INSERT INTO orders`, `UPDATE orders`: what is done, and to which table. */
const SUMMARY = /^\s*(\w+)(?:.*?\bFROM\s+|\s+INTO\s+|\s+OR\s+\w+\s+INTO\s+|\s+)["`]?(\w+)/is;

const describe = (statement: string): { name: string; attributes: Attributes } => {
  const [, verb = "", table = ""] = SUMMARY.exec(statement) ?? [];
  const operation = verb.toUpperCase();
  const summary = [operation, table].filter(Boolean).join(" ");
  return {
    name: summary,
    attributes: {
      "db.operation.name": operation,
      ...(table && { "db.collection.name": table }),
      "db.query.summary": summary,
      "db.query.text": statement,
    },
  };
};

/** Work that belongs to no trace does not begin one: projections look at their database all the time. */
const inDatabaseSpan = <T>(
  namespace: string,
  { name, attributes }: { name: string; attributes: Attributes },
  work: () => Promise<T>,
): Promise<T> =>
  trace.getSpan(context.active())
    ? inSpan(
        name,
        {
          kind: "client",
          attributes: { "db.system.name": "sqlite", "db.namespace": namespace, ...attributes },
        },
        work,
      )
    : work();

/** @param namespace the database's name in spans; parameters never appear in them */
export const tracedD1 = (database: D1Database, namespace: string): D1Database => {
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>();

  const traced = (statement: D1PreparedStatement, text: string): D1PreparedStatement => {
    const run =
      (method: "first" | "run" | "all" | "raw") =>
      (...args: unknown[]) =>
        inDatabaseSpan(namespace, describe(text), () =>
          (statement[method] as (...args: unknown[]) => Promise<unknown>).apply(statement, args),
        );
    const wrapper = {
      bind: (...values: unknown[]) => traced(statement.bind(...values), text),
      first: run("first"),
      run: run("run"),
      all: run("all"),
      raw: run("raw"),
    } as D1PreparedStatement;
    originals.set(wrapper, statement);
    return wrapper;
  };

  return {
    prepare: (text: string) => traced(database.prepare(text), text),
    batch: (statements: D1PreparedStatement[]) =>
      inDatabaseSpan(
        namespace,
        {
          name: `BATCH ${namespace}`,
          attributes: { "db.operation.name": "BATCH", "db.operation.batch.size": statements.length },
        },
        () => database.batch(statements.map((statement) => originals.get(statement) ?? statement)),
      ),
  } as D1Database;
};
