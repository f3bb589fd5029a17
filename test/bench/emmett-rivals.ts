/** Emmett's two event stores with the orders' tables beside their events, each as fast as its options allow. */
import { DatabaseSync } from "node:sqlite";
import { SQL } from "@event-driven-io/dumbo";
import { getPostgreSQLEventStore, postgreSQLRawBatchSQLProjection } from "@event-driven-io/emmett-postgresql";
import {
  getSQLiteEventStore,
  sqliteConnection,
  sqliteRawBatchSQLProjection,
} from "@event-driven-io/emmett-sqlite";
import { keyedMutex } from "#shared/cqrs/mutex.ts";
import type { ReadStore } from "#shared/cqrs/read-store.ts";
import { LIMITS } from "#shared/limits.ts";
import { postgresPool } from "#shared/storage/postgres-pool.ts";
import { postgresReadStore } from "#shared/storage/postgres-read-store.ts";
import type { TestPostgres } from "#test/setup/postgres.ts";
import { nodeSqliteReadStore } from "./node-sqlite-read-store.ts";
import { ordersTables, ordersTablesInPostgres } from "./orders-tables.ts";
import { placedOrder } from "./placed-order.ts";

export interface EmmettRival {
  readonly name: string;
  readonly durability: string;
  /** One order to a stream that does not exist yet. */
  append(id: string): Promise<void>;
  /** So many orders to a stream that does not exist yet, at once. */
  fill(id: string, events: number): Promise<void>;
  /** Folds a stream. @returns its last event's data */
  load(id: string): Promise<object>;
  /** All events of the store into rows of `orders`, by a consumer that has not run before. */
  project(): Promise<void>;
  /** Ours, in a database of the same kind with the same settings. */
  readonly readStore: ReadStore;
  /** Empties the tables of both. @returns how many orders were in Emmett's, and in ours */
  clear(): Promise<{ emmett: number; ours: number }>;
  close(): Promise<void>;
}

type OrderPlaced = {
  readonly type: "OrderPlaced";
  readonly data: Record<string, unknown> & { orderId: string };
};

const eventOf = (id: string) => placedOrder(id).events[0] as OrderPlaced;
const streamOf = (id: string) => `order-${id}`;
const eventsOf = (id: string, count: number) => Array.from({ length: count }, () => eventOf(id));
const NEW = { expectedStreamVersion: "STREAM_DOES_NOT_EXIST" } as const;
const FOLD = {
  initialState: (): object => ({}),
  evolve: (_: object, event: OrderPlaced): object => event.data,
};
/** As many as ours takes at once, and no pause between two batches. */
const PULLING = { batchSize: LIMITS.projectionBatch, pullingFrequencyInMs: 0 };
const json = (events: readonly OrderPlaced[]) => JSON.stringify(events.map(({ data }) => data));

/** @param file is made; `synchronous = NORMAL` with a write-ahead log: what is answered can be lost with the machine's power, not with the process */
export const emmettOnSqlite = async (file: string): Promise<EmmettRival> => {
  const connection = sqliteConnection({ fileName: file });
  const ours = new DatabaseSync(`${file}-ours`);
  const durability = "PRAGMA synchronous = NORMAL";
  ours.exec(`PRAGMA journal_mode = WAL; ${durability}`);
  await connection.command(durability);
  for (const statement of await ordersTables()) {
    ours.exec(statement);
    await connection.command(statement);
  }
  // Its default opens the file anew for each call.
  const store = getSQLiteEventStore({ fileName: file, connectionOptions: { singleton: true, connection } });
  await store.schema.migrate();
  /** A transaction spans its connection, so that two at a time would become one. */
  const alone = keyedMutex();
  let projections = 0;

  return {
    name: "SQLite",
    durability: "SQLite's synchronous = NORMAL",
    append: (id) =>
      alone("connection", async () => void (await store.appendToStream(streamOf(id), [eventOf(id)], NEW))),
    fill: async (id, events) => void (await store.appendToStream(streamOf(id), eventsOf(id, events), NEW)),
    load: async (id) => (await store.aggregateStream<object, OrderPlaced>(streamOf(id), FOLD)).state,
    async project() {
      const all = await connection.querySingle<{ n: number }>("SELECT COUNT(*) AS n FROM emt_messages");
      let handled = 0;
      const consumer = store.consumer<OrderPlaced>({ pulling: PULLING });
      consumer.processor<OrderPlaced>({
        processorId: `orders-${projections++}`,
        startFrom: "BEGINNING",
        stopAfter: () => ++handled === all?.n,
        projection: sqliteRawBatchSQLProjection<OrderPlaced>({
          canHandle: ["OrderPlaced"],
          evolve: (events) => [
            `INSERT INTO orders (order_id, customer_id, status, lines, total, placed_at) SELECT value ->> 'orderId', value ->> 'customerId', 'placed', value ->> 'lines', value ->> 'total', value ->> 'placedAt' FROM json_each('${json(events).replaceAll("'", "''")}') WHERE true ON CONFLICT (order_id) DO NOTHING`,
          ],
        }),
      });
      await consumer.start();
    },
    readStore: nodeSqliteReadStore(ours),
    async clear() {
      const count = "SELECT COUNT(*) AS n FROM orders";
      const theirs = await connection.querySingle<{ n: number }>(count);
      const own = ours.prepare(count).get() as { n: number };
      await connection.command("DELETE FROM orders");
      ours.exec("DELETE FROM orders; DELETE FROM checkpoints");
      return { emmett: theirs?.n ?? 0, ours: own.n };
    },
    async close() {
      connection.close();
      ours.close();
    },
  };
};

/** @param database is made on the server */
export const emmettOnPostgres = async (server: TestPostgres, database: string): Promise<EmmettRival> => {
  const within = async (name: string) => {
    const root = postgresPool(server.url);
    await root.query(`CREATE DATABASE ${name}`);
    await root.end();
    const url = server.url.replace("/postgres?", `/${name}?`);
    const pool = postgresPool(url);
    for (const statement of await ordersTablesInPostgres()) await pool.query(statement);
    return { url, pool };
  };
  const theirs = await within(database);
  const ours = await within(`${database}_ours`);
  const store = getPostgreSQLEventStore(theirs.url);
  await store.schema.migrate();
  let projections = 0;

  return {
    name: "Postgres",
    durability: "Postgres' fsync = off",
    append: async (id) => void (await store.appendToStream(streamOf(id), [eventOf(id)], NEW)),
    fill: async (id, events) => void (await store.appendToStream(streamOf(id), eventsOf(id, events), NEW)),
    load: async (id) => (await store.aggregateStream<object, OrderPlaced>(streamOf(id), FOLD)).state,
    async project() {
      const consumer = store.consumer<OrderPlaced>({ pulling: PULLING, stopWhen: { noMessagesLeft: true } });
      const name = `orders-${projections++}`;
      consumer.projector<OrderPlaced>({
        processorId: name,
        projection: postgreSQLRawBatchSQLProjection<OrderPlaced>({
          name,
          canHandle: ["OrderPlaced"],
          evolve: (events) => [
            SQL`INSERT INTO orders (order_id, customer_id, status, lines, total, placed_at) SELECT value ->> 'orderId', value ->> 'customerId', 'placed', value ->> 'lines', value ->> 'total', value ->> 'placedAt' FROM json_array_elements(${json(events)}::json) ON CONFLICT (order_id) DO NOTHING`,
          ],
        }),
      });
      await consumer.start();
    },
    readStore: postgresReadStore(ours.pool),
    async clear() {
      const count = async (pool: typeof ours.pool) =>
        Number((await pool.query<{ n: string }>("SELECT COUNT(*) AS n FROM orders")).rows[0]?.n);
      const counted = { emmett: await count(theirs.pool), ours: await count(ours.pool) };
      await theirs.pool.query("TRUNCATE orders");
      await ours.pool.query("TRUNCATE orders, checkpoints");
      return counted;
    },
    async close() {
      await store.close();
      await theirs.pool.end();
      await ours.pool.end();
    },
  };
};
