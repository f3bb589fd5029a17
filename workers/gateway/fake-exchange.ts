/** An exchange for tests of a part by itself. */
import { ROOT_CONTEXT } from "@opentelemetry/api";
import type { Exchange, Handler } from "./exchange.ts";
import { readFields } from "./request-fields.ts";

export interface FakeExchange extends Exchange {
  /** What was passed to `waitUntil`, in order. */
  readonly afterwards: Promise<unknown>[];
}

/** @param url a path is taken on `http://gateway` */
export const fakeExchange = (
  url: string,
  init: RequestInit = {},
  more: Partial<Exchange> = {},
): FakeExchange => {
  const request = new Request(new URL(url, "http://gateway"), init);
  const afterwards: Promise<unknown>[] = [];
  return {
    request,
    fields: readFields(request.headers),
    requestId: "request-1",
    path: new URL(request.url).pathname,
    trace: ROOT_CONTEXT,
    route: "shop",
    params: {},
    service: "shop",
    major: 1,
    minor: 0,
    url: undefined,
    waitUntil: (work) => afterwards.push(work),
    afterwards,
    ...more,
  };
};

/** What a client gets of it: the handler's answer under the exchange's changes. */
export const answered = async (handler: Handler, exchange: Exchange): Promise<Response> => {
  const answer = await handler(exchange);
  const response = new Response(answer.body, answer);
  for (const { kind, name, value } of exchange.answer ?? []) {
    if (kind === "remove") response.headers.delete(name);
    else response.headers[kind](name, value);
  }
  return response;
};
