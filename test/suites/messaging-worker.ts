/** A service in the Workers runtime that asks, answers, publishes and listens, as it is told over HTTP. */
import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { answer, hear } from "#shared/messaging/message-handlers.ts";
import { messagesOf, request, topic } from "#shared/messaging/message-types.ts";
import { ok } from "#shared/result.ts";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { type MessagesEnv, messengerLogic, serviceMessages } from "#workers/service-messages.ts";

interface Env extends MessagesEnv {
  SERVICE: string;
  NATS_URL: string;
  /** The other service, over HTTP. */
  OTHER: Fetcher;
}

const price = z.object({ sku: z.string(), amount: z.int() });
const CATALOG = messagesOf("catalog", {
  priceChanged: topic("price.changed", price),
  quote: request("quote", { request: z.object({ sku: z.string() }), answer: price, timeoutMs: 1_000 }),
});
const MESSENGERS = 2;

/** The newest prices that this service heard of. */
const heard: z.infer<typeof price>[] = [];

const handlersOf = (service: string) =>
  service === "catalog"
    ? [answer(CATALOG.quote, async ({ sku }) => ok({ sku, amount: 5 }))]
    : [
        hear(CATALOG.priceChanged, async (data) => {
          heard.push(data);
          return ok(undefined);
        }),
      ];

export class Messenger extends DurableObject<Env> {
  actor = hostDurableActor(
    this.ctx,
    (context) => {
      const { SERVICE: service, NATS_URL: url } = this.env;
      return messengerLogic(context, { service, url, handlers: handlersOf(service) });
    },
    { kind: "messenger" },
  );
  call(call: ActorCall) {
    return this.actor.call(call);
  }
  override alarm() {
    return this.actor.alarm();
  }
}

export default {
  async fetch(incoming, env) {
    const { pathname, searchParams } = new URL(incoming.url);
    const { messaging, checks } = serviceMessages(env.SERVICE, env, MESSENGERS);
    const times = Number(searchParams.get("times") ?? 1);
    const repeated = async (work: () => Promise<unknown>) => {
      const results: unknown[] = [];
      for (let time = 0; time < times; time++) results.push(await work());
      return Response.json(results.at(-1));
    };
    switch (pathname) {
      case "/ready":
        return Response.json(await Promise.all(checks.map(({ check }) => check())));
      case "/ask":
        return repeated(() => messaging.ask(CATALOG.quote, { sku: "tea" }));
      case "/bound":
        return repeated(async () => (await env.OTHER.fetch("http://other/quote?sku=tea")).json());
      case "/quote":
        return Response.json(ok({ sku: searchParams.get("sku"), amount: 5 }));
      case "/publish":
        return repeated(() => messaging.publish(CATALOG.priceChanged, { sku: "tea", amount: 6 }));
      default:
        return Response.json(heard);
    }
  },
} satisfies ExportedHandler<Env>;
