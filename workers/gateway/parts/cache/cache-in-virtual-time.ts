/** A cache before a service that a test writes, with time that passes when the test says so. */
import type { Exchange } from "../../exchange.ts";
import { answered, fakeExchange } from "../../fake-exchange.ts";
import { cache } from "./cache.ts";
import type { WrittenCache } from "./cache-schema.ts";
import { httpDate } from "./http-date.ts";
import type { AnswerCache } from "./second-tier.ts";

export interface ReadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The last member of `Cache-Status`. */
  readonly cache: string;
}

export type Service = (request: Request, exchange: Exchange) => Response | Promise<Response>;

export const BEGIN = Date.UTC(2026, 0, 1);

export const cacheInVirtualTime = (
  written: WrittenCache,
  service: Service,
  options: { location?: AnswerCache } = {},
) => {
  let now = BEGIN;
  let names = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const asked: Request[] = [];
  const works: Promise<unknown>[] = [];
  const part = cache(written, {
    clock: () => now,
    sleep: (ms) => new Promise((wake) => void sleepers.push({ at: now + ms, wake })),
    newName: () => `name-${names++}`,
    ...(options.location && { location: options.location }),
  });
  const handler = part(async (exchange) => {
    const request = onward(exchange);
    asked.push(request);
    return service(request, exchange);
  });

  const send = (url: string, init: RequestInit = {}, more: Partial<Exchange> = {}): Promise<Response> => {
    const exchange = fakeExchange(url, init, { ...more, waitUntil: (work) => works.push(work) });
    return answered(handler, exchange);
  };

  return {
    part,
    handler,
    /** What the service got. */
    asked,
    send,
    async get(
      url: string,
      headers: Record<string, string> = {},
      init: RequestInit = {},
      more: Partial<Exchange> = {},
    ) {
      return read(await send(url, { ...init, headers }, more));
    },
    now: () => now,
    date: (aheadMs = 0) => httpDate(now + aheadMs),
    /** Moves the clock, also backwards, and wakes whose time has come. */
    async pass(ms: number) {
      await turn();
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      await turn();
    },
    sleeping: () => sleepers.length,
    /** Until what goes on after the answers is done. */
    async settle() {
      await Promise.all(works.splice(0));
    },
  };
};

export const read = async (response: Response): Promise<ReadAnswer> => ({
  status: response.status,
  headers: response.headers,
  body: await response.text(),
  cache: response.headers.get("cache-status")?.split(", ").at(-1) ?? "",
});

/** Lets everything go on that waits for nothing but its turn. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An answer of a service. */
export const says = (body: string | null, headers: Record<string, string> = {}, status = 200): Response =>
  new Response(body, { status, headers });

const onward = ({ request, onward = [] }: Exchange): Request => {
  const headers = new Headers(request.headers);
  for (const { kind, name, value } of onward) {
    if (kind === "remove") headers.delete(name);
    else headers[kind](name, value);
  }
  return new Request(request.url, { method: request.method, headers });
};
