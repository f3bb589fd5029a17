/** Takes an order without any of the platform: JSON in, one Durable Object, one conditional publish, JSON out. */
import { DurableObject } from "cloudflare:workers";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

interface Env {
  readonly PUBLISHERS: DurableObjectNamespace<BarePublisher>;
  readonly NATS_URL: string;
}

/** As many as the orders service has. */
const SHARDS = 4;

export class BarePublisher extends DurableObject<Env> {
  client: Promise<JetStreamClient> | undefined;

  async publish(id: string, payload: string): Promise<number> {
    this.client ??= connect({ servers: this.env.NATS_URL }).then((connection) => jetstream(connection));
    const { seq } = await (await this.client).publish(`log.bare.order.${id}`, payload, {
      msgID: id,
      expect: { lastSubjectSequence: 0 },
    });
    return seq;
  }
}

export default {
  async fetch(request, env) {
    const { customerId, lines } = await request.json<{ customerId: string; lines: object[] }>();
    const orderId = crypto.randomUUID();
    const placedAt = new Date().toISOString();
    const order = { orderId, customerId, lines, total: { amount: 2500, currency: "EUR" }, placedAt };
    const event = {
      specversion: "1.0",
      id: `${orderId}/0`,
      source: "/bare",
      type: "bare.OrderPlaced",
      data: order,
    };
    const publisher = env.PUBLISHERS.getByName(`shard-${Number.parseInt(orderId.slice(0, 4), 16) % SHARDS}`);
    const position = await publisher.publish(orderId, JSON.stringify([event]));
    return Response.json(
      { ...order, status: "placed" },
      {
        status: 202,
        headers: { location: `/orders/v1/orders/${orderId}`, "skerry-position": `orders=${position}` },
      },
    );
  },
} satisfies ExportedHandler<Env>;
