/** A service as any other, without a history, that asks, answers, publishes and listens as it is told over HTTP. */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { answer, hear } from "#shared/messaging/message-handlers.ts";
import { messagesOf, request, topic } from "#shared/messaging/message-types.ts";
import { ok } from "#shared/result.ts";
import { type EventSourcedEnv, eventSourcedService } from "#workers/event-sourced-service.ts";
import { messagesOverNats } from "#workers/service-messages.ts";

interface Env extends EventSourcedEnv {
  SERVICE: "catalog" | "orders";
  /** The other service, over HTTP. */
  OTHER: Fetcher;
}

const price = z.object({ sku: z.string(), amount: z.int() });
const CATALOG = messagesOf("catalog", {
  priceChanged: topic("price.changed", price),
  quote: request("quote", { request: z.object({ sku: z.string() }), answer: price, timeoutMs: 1_000 }),
});

const { SERVICE } = env as unknown as Env;

/** The prices that this service heard of. */
const heard: z.infer<typeof price>[] = [];

const MESSAGES = {
  catalog: [answer(CATALOG.quote, async ({ sku }) => ok({ sku, amount: 5 }))],
  orders: [
    hear(CATALOG.priceChanged, async (data) => {
      heard.push(data);
      return ok(undefined);
    }),
  ],
};

const { handlers, Messenger, Commander } = eventSourcedService<Env, z.ZodObject>({
  name: SERVICE,
  major: 1,
  version: "1.0.0",
  description: "Messages.",
  config: z.strictObject({}),
  problems: {},
  aggregates: {},
  events: {},
  sources: {},
  shards: 1,
  projections: [],
  processes: () => [],
  messages: { over: messagesOverNats, messengers: 2, handlers: () => MESSAGES[SERVICE] },
  addRoutes(app, { messaging, env: { OTHER } }) {
    const route = (path: string, work: () => Promise<unknown>) =>
      app.get(path, async (c) => {
        const times = Number(c.req.query("times") ?? 1);
        for (let time = 1; time < times; time++) await work();
        return Response.json(await work());
      });
    route("/ask", () => messaging.ask(CATALOG.quote, { sku: "tea" }));
    route("/bound", async () => (await OTHER.fetch("http://catalog/catalog/v1/quote")).json());
    route("/quote", async () => ok({ sku: "tea", amount: 5 }));
    route("/publish", () => messaging.publish(CATALOG.priceChanged, { sku: "tea", amount: 6 }));
    route("/heard", async () => heard);
  },
});

export class TestMessenger extends Messenger {}
export class TestCommander extends Commander {}

export default handlers;
