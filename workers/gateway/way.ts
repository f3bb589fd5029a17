/** The way that a request takes: found by its address, the same for all that go it, but for what the request itself says. */
import type { Arrival } from "./arrival.ts";
import type { Exchange, Handler } from "./exchange.ts";

export interface Way {
  /** The route's key in the configuration, or `{service}/v{major}` by the registry. */
  readonly name: string;
  /** Empty where it leads to a fixed URL. */
  readonly service: string;
  /** Undefined where it leads to a fixed URL. */
  readonly major: number | undefined;
  /** See {@link Exchange.leads}. */
  readonly leads: string;
  /** For spans: "/orders/v1/*". */
  readonly template: string;
  readonly handler: Handler;
  /** Whether clients are told where the time went. */
  readonly timed: boolean;
}

export interface Going {
  readonly way: Way;
  readonly params?: Readonly<Record<string, string>>;
  /** See {@link Exchange.minor}; 0 when absent. */
  readonly minor?: number;
  /** See {@link Exchange.url}; the request's own when absent. */
  readonly url?: string | undefined;
  /** Request headers that the way depends on. */
  readonly vary?: readonly string[] | undefined;
}

const NO_PARAMS = {};

/** @param addressOf the client's address by the rule in force; asked only where somebody wants to know it */
export const exchangeOf = (
  { request, fields, requestId, path, trace, platform }: Arrival,
  { way, params = NO_PARAMS, minor = 0, url }: Going,
  addressOf: (request: Request) => string | undefined,
): Exchange => ({
  request,
  fields,
  requestId,
  path,
  trace,
  route: way.name,
  service: way.service,
  major: way.major,
  minor,
  url,
  leads: way.leads,
  params,
  waitUntil: (work) => platform.waitUntil(work),
  get clientAddress() {
    return addressOf(request);
  },
  ...(way.timed && { timings: [] }),
});
