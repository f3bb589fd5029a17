/** What a request says of how it may be answered (RFC 9111 sections 5.2.1 and 5.4). */
import { SESSION_FIELD } from "#shared/http/session-fields.ts";
import type { Exchange } from "../../exchange.ts";
import { parseCacheControl, secondsOf } from "./cache-control.ts";
import type { CacheSettings } from "./cache-settings.ts";

export interface RequestWishes {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** Milliseconds; undefined: not said. */
  readonly maxAgeMs: number | undefined;
  readonly minFreshMs: number;
  readonly maxStaleMs: number;
  readonly ifErrorMs: number;
  /** The gateway knows who calls, or the request carries credentials. */
  readonly ofCaller: boolean;
  /** It carries cookies, and they count. */
  readonly withCookies: boolean;
}

export const requestWishes = (
  { request, caller, onward }: Pick<Exchange, "request" | "caller" | "onward">,
  { cookies }: Pick<CacheSettings, "cookies">,
): RequestWishes => {
  const { headers } = request;
  const field = headers.get("cache-control");
  const said = parseCacheControl(field);
  const ms = (name: string): number | undefined => {
    const seconds = secondsOf(said, name);
    return seconds === undefined ? undefined : seconds * 1_000;
  };
  // Without a value it means however stale.
  const anyStale = said.has("max-stale") && said.get("max-stale") === undefined;
  const pragma = field === null && /(^|,)\s*no-cache\s*(,|$)/i.test(headers.get("pragma") ?? "");
  return {
    noCache: said.has("no-cache") || pragma,
    noStore: said.has("no-store"),
    onlyIfCached: said.has("only-if-cached"),
    maxAgeMs: ms("max-age"),
    minFreshMs: ms("min-fresh") ?? 0,
    maxStaleMs: anyStale ? Number.POSITIVE_INFINITY : (ms("max-stale") ?? 0),
    ifErrorMs: ms("stale-if-error") ?? 0,
    ofCaller:
      headers.has("authorization") ||
      (caller !== undefined && caller.by !== "none") ||
      // A session that names nobody still makes an answer one client's.
      (onward?.some(({ name }) => name === SESSION_FIELD) ?? false),
    withCookies: cookies !== "ignore" && headers.has("cookie"),
  };
};
