/** A shared cache in front of a route's services (RFC 9111, 5861, 9211), in the isolate's memory. */
import type { Clock, Sleep } from "#shared/runtime/clock.ts";
import type { Exchange, Handler, Part } from "../../exchange.ts";
import { answerRead } from "./answer-read.ts";
import { answerStore } from "./answer-store.ts";
import { cacheKey } from "./cache-key.ts";
import type { WrittenCache } from "./cache-schema.ts";
import { cacheSettings } from "./cache-settings.ts";
import { type CacheNote, noteForward } from "./cache-status.ts";
import { coalescing } from "./coalescing.ts";
import { fillRoom } from "./fill-room.ts";
import { give } from "./give.ts";
import { invalidateAfter, isSafe } from "./invalidate.ts";
import { isFresh, mayFallBack } from "./reuse.ts";
import { type AnswerCache, secondTier } from "./second-tier.ts";
import { type CacheMemory, lookUp, visitOf, whyBypassed } from "./visit.ts";

export interface CacheOptions {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** For `tier: "location"`; without it answers are kept in the isolate alone. */
  readonly location?: AnswerCache;
  /** A text that was never given before, as a UUID: names generations in the location's cache. */
  readonly newName: () => string;
}

export interface CacheAccess {
  /**
   * For a fallback: what is stored, stale or not, marked by `Age` and `Cache-Status`; undefined where nothing is, or
   * where the answer forbids to be given stale.
   * @param maxStaleSeconds beyond its lifetime
   */
  readonly staleAnswer: (exchange: Exchange, maxStaleSeconds: number) => Response | undefined;
  /** Bytes that stored answers, and those that are on their way, take now. */
  readonly bytes: () => number;
}

/** Keeps its answers for as long as it is itself kept: a changed configuration that leaves `written` as it was keeps it. */
export const cache = (written: WrittenCache, options: CacheOptions): Part & CacheAccess => {
  const memory = cacheMemory(written, options);
  const part: Part = (next) => (exchange) => {
    const { request } = exchange;
    if (!isSafe(request.method)) return invalidateAfter(exchange, next, memory);
    if (request.method !== "GET" && request.method !== "HEAD") return pass(exchange, next, { fwd: "method" });
    const detail = whyBypassed(request, memory.settings);
    if (detail !== undefined) return pass(exchange, next, { fwd: "bypass", detail });
    return answerRead({ visit: visitOf(exchange, memory), next, memory });
  };
  return Object.assign(part, {
    staleAnswer: (exchange: Exchange, maxStaleSeconds: number) =>
      staleAnswer(exchange, maxStaleSeconds * 1_000, memory),
    bytes: () => memory.store.bytes() + memory.room.bytes(),
  });
};

const cacheMemory = (
  written: WrittenCache,
  { clock, sleep, location, newName }: CacheOptions,
): CacheMemory => {
  const settings = cacheSettings(written);
  const shared = settings.tier === "location" ? location : undefined;
  return {
    settings,
    clock,
    keyOf: cacheKey(settings),
    store: answerStore(settings),
    room: fillRoom(settings.bytesMax, clock),
    leases: coalescing(clock, sleep),
    tier: shared && secondTier(shared, settings, newName),
    fellBack: new WeakSet(),
  };
};

const pass = async (exchange: Exchange, next: Handler, note: CacheNote): Promise<Response> => {
  const response = await next(exchange);
  noteForward(exchange, note);
  return response;
};

const staleAnswer = (exchange: Exchange, maxStaleMs: number, memory: CacheMemory): Response | undefined => {
  const { method } = exchange.request;
  if (method !== "GET" && method !== "HEAD") return undefined;
  if (whyBypassed(exchange.request, memory.settings) !== undefined) return undefined;
  const { stored } = lookUp(visitOf(exchange, memory), memory);
  const nowMs = memory.clock();
  if (!stored || !mayFallBack(stored, nowMs, maxStaleMs)) return undefined;
  memory.fellBack.add(exchange);
  const fwd = isFresh(stored, nowMs) ? "request" : "stale";
  return give(stored, exchange, { nowMs, note: { fwd, detail: "fallback" } });
};
