/** Sends a request to somebody else than its way's own destination, for fallbacks and mirrors, by that one's policy. */

import { DEADLINE_HEADER } from "#shared/resilience/deadline-header.ts";
import type { GatewayConfig } from "./contract.ts";
import type { Exchange, Handler } from "./exchange.ts";
import { elsewhereUrl, type SendElsewhere } from "./parts/fallback/elsewhere.ts";
import { readFields } from "./request-fields.ts";
import { type SendOptions, sendToService, sendToUrl } from "./send.ts";

export interface SendElsewhereOptions extends SendOptions {
  /** `config.get`: another object only when something has changed. */
  readonly config: () => GatewayConfig;
}

/**
 * By the configuration in force, also for parts that outlive a change of it. Handlers are put together once for each
 * destination.
 */
export const sendElsewhere = (options: SendElsewhereOptions): SendElsewhere => {
  const made = new WeakMap<GatewayConfig, Map<string, Handler>>();
  const handlerOf = (place: string, make: () => Handler): Handler => {
    const config = options.config();
    const handlers = made.get(config) ?? new Map<string, Handler>();
    made.set(config, handlers);
    const handler = handlers.get(place) ?? make();
    handlers.set(place, handler);
    return handler;
  };

  return async (exchange, destination, withinMs) => {
    const { request } = exchange;
    if ("url" in destination) {
      const { url } = destination;
      const handler = handlerOf(url, () => sendToUrl(url, undefined, options));
      const target = elsewhereUrl(request.url, { ...destination, url: new URL(request.url).origin });
      return answered(handler, elsewhere(exchange, { service: "", major: undefined, url: target }, withinMs));
    }
    const { service } = destination;
    const major = destination.major ?? options.services.majors(service).at(-1);
    if (major === undefined) return undefined;
    const handler = handlerOf(`${service} ${major}`, () =>
      sendToService({ service, major }, undefined, options),
    );
    const url = elsewhereUrl(request.url, destination, major);
    return answered(handler, elsewhere(exchange, { service, major, url }, withinMs));
  };
};

const elsewhere = (
  exchange: Exchange,
  place: Pick<Exchange, "service" | "major" | "url">,
  withinMs: number,
): Exchange => {
  const headers = new Headers(exchange.request.headers);
  headers.set(DEADLINE_HEADER, `${Math.max(0, Math.floor(withinMs))}`);
  return {
    ...exchange,
    ...place,
    minor: 0,
    request: new Request(exchange.request, { headers }),
    fields: readFields(headers),
  };
};

/** A refusal of ours is no answer of theirs. */
const answered = async (handler: Handler, exchange: Exchange): Promise<Response | undefined> => {
  const answer = await handler(exchange);
  return exchange.refusal ? undefined : answer;
};
