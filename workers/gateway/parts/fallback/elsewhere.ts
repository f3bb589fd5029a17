/** Asking somebody else than the route's own destination. */
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Exchange } from "../../exchange.ts";
import { servicePath } from "../../service-path.ts";
import type { Destination } from "./destination-schema.ts";

/**
 * Sends the exchange's request, under its header changes, and ends when the request's signal does; undefined when nobody
 * answered. The exchange is a copy: what is left in it nobody sees.
 * @param withinMs what the next hop is told that it has
 */
export type SendElsewhere = (
  exchange: Exchange,
  destination: Destination,
  withinMs: number,
) => Promise<Response | undefined>;

export interface Asking {
  readonly sendElsewhere: SendElsewhere;
  readonly timer: Timer;
  /** Until the answer's headers. */
  readonly withinMs: number;
}

/** Undefined when nobody answered in time. A late answer is let go. Never rejects. */
export const askElsewhere = (
  exchange: Exchange,
  destination: Destination,
  { sendElsewhere, timer, withinMs }: Asking,
): Promise<Response | undefined> =>
  new Promise((resolve) => {
    const end = new AbortController();
    let over = false;
    const finish = (answer?: Response): void => {
      if (over) letGo(answer);
      else {
        over = true;
        stop();
        resolve(answer);
      }
    };
    const stop = timer(withinMs, () => {
      finish();
      end.abort(
        new DOMException(`Asking elsewhere: expected an answer within ${withinMs} ms.`, "TimeoutError"),
      );
    });
    try {
      const client = exchange.request.signal;
      if (client.aborted) return finish();
      client.addEventListener("abort", () => end.abort(client.reason), { once: true });
      const request = new Request(exchange.request, { signal: end.signal });
      const { refusal, answer, onward, ...rest } = exchange;
      const copy: Exchange = { ...rest, request, ...(onward && { onward: [...onward] }) };
      sendElsewhere(copy, destination, withinMs).then(finish, () => finish());
    } catch {
      finish();
    }
  });

/** Lets go of an answer that nobody will read: an unread one holds its connection. */
export const letGo = (answer: Response | undefined): void => {
  answer?.body?.cancel().catch(() => undefined);
};

/**
 * The URL to be sent, for whoever implements `SendElsewhere`: `/shop/v1/x` goes to another service as `/other/v2/x`.
 * @param major what the service is asked in; of no meaning for a fixed URL
 */
export const elsewhereUrl = (requestUrl: string, destination: Destination, major = 0): string => {
  const { pathname, search, origin } = new URL(requestUrl);
  if ("url" in destination)
    return `${destination.url.replace(/\/$/, "")}${destination.path ?? pathname}${search}`;
  const { service, path } = destination;
  if (path !== undefined) return `${origin}${path}${search}`;
  const named = servicePath(pathname);
  const rest =
    named?.major === undefined ? pathname : pathname.slice(`/${named.service}/${named.version}`.length);
  return `${origin}/${service}/v${major}${rest}${search}`;
};
