/** The two things that a projection's catching up is made of, each alone: reading the stream, and writing the rows. */
import { DeliverPolicy, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { v7 as uuidv7 } from "uuid";

interface Env {
  readonly DB: D1Database;
  readonly NATS_URL: string;
}

const ROWS_A_BATCH = 500;

/** Reads and parses `count` messages of the stream. */
const consume = async (env: Env, stream: string, count: number): Promise<number> => {
  const connection = await connect({ servers: env.NATS_URL });
  const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.All });
  const messages = await consumer.consume({ max_messages: 2_000 });
  let read = 0;
  for await (const message of messages) {
    message.json();
    read += 1;
    if (read === count) break;
  }
  await connection.close();
  return read;
};

type Batch = { readonly placed: string; readonly confirmed: string };
let batches: readonly Batch[] = [];

/** The parameters of all statements for `count` events, made before the clock runs: half places orders, half confirms them. */
const prepare = (count: number): number => {
  const lines = JSON.stringify([{ sku: "MUG", quantity: 2, price: { amount: 1250, currency: "EUR" } }]);
  const total = JSON.stringify({ amount: 2500, currency: "EUR" });
  const at = new Date().toISOString();
  batches = Array.from({ length: Math.ceil(count / ROWS_A_BATCH) }, () => {
    const ids = Array.from({ length: ROWS_A_BATCH / 2 }, () => uuidv7());
    return {
      placed: JSON.stringify(
        ids.map((orderId) => ({ orderId, customerId: "bench", lines, total, placedAt: at })),
      ),
      confirmed: JSON.stringify(ids.map((orderId) => ({ orderId, at }))),
    };
  });
  return batches.length * ROWS_A_BATCH;
};

const INSERT = `
  INSERT INTO orders (order_id, customer_id, status, lines, total, placed_at)
  SELECT value ->> 'orderId', value ->> 'customerId', 'placed', value ->> 'lines', value ->> 'total', value ->> 'placedAt'
  FROM json_each(?) WHERE true ON CONFLICT (order_id) DO NOTHING`;

const UPDATE = `
  UPDATE orders SET status = 'confirmed', confirmed_at = change.value ->> 'at'
  FROM json_each(?) AS change WHERE orders.order_id = change.value ->> 'orderId'`;

const write = async ({ DB }: Env): Promise<number> => {
  for (const { placed, confirmed } of batches) {
    await DB.batch([DB.prepare(INSERT).bind(placed), DB.prepare(UPDATE).bind(confirmed)]);
  }
  return batches.length * ROWS_A_BATCH;
};

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count"));
    switch (pathname) {
      case "/consume":
        return Response.json(await consume(env, searchParams.get("stream") ?? "", count));
      case "/prepare":
        return Response.json(prepare(count));
      case "/write":
        return Response.json(await write(env));
      default:
        return new Response(null, { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;
