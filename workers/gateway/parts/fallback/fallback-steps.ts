/** The steps of a fallback, each made once: what it answers with, or undefined. */
import type { Timer } from "#shared/resilience/deadline-timer.ts";
import type { Exchange } from "../../exchange.ts";
import { isFailure } from "../../policy/failure.ts";
import type { Destination } from "./destination-schema.ts";
import { askElsewhere, letGo, type SendElsewhere } from "./elsewhere.ts";
import { FALLBACK_DEFAULTS, type FallbackStep, type FixedAnswer } from "./fallback-schema.ts";

export interface StepOptions {
  /** What the cache has, stale for no longer than that; never throws. Absent where the route has no cache. */
  readonly stale?: (exchange: Exchange, maxStaleSeconds: number) => Response | undefined;
  readonly sendElsewhere: SendElsewhere;
  readonly timer: Timer;
  /** Answers that are no better than the one that failed. */
  readonly statuses: readonly number[];
}

/** How a request that has failed once may be tried. */
export interface Failed {
  readonly exchange: Exchange;
  /** The request anew; undefined when it may not be sent twice, or its body is gone. */
  readonly again: () => Request | undefined;
  readonly remainingMs: () => number;
}

export interface Step {
  /** As `Skerry-Fallback` names it. */
  readonly kind: "cached" | "service" | "static";
  readonly take: (failed: Failed) => Promise<Response | undefined>;
}

export const stepOf = (written: FallbackStep, options: StepOptions): Step => {
  if ("cached" in written) return cached(written.cached.maxStaleSeconds, options);
  return "answer" in written ? fixed(written.answer) : elsewhere(written, options);
};

const cached = (
  maxStaleSeconds: number = FALLBACK_DEFAULTS.maxStaleSeconds,
  { stale }: StepOptions,
): Step => ({
  kind: "cached",
  take: async ({ exchange }) => stale?.(exchange, maxStaleSeconds),
});

const elsewhere = (destination: Destination, options: StepOptions): Step => ({
  kind: "service",
  async take({ exchange, again, remainingMs }) {
    const withinMs = remainingMs();
    const request = withinMs > 0 ? again() : undefined;
    if (!request) return undefined;
    const answer = await askElsewhere({ ...exchange, request }, destination, { ...options, withinMs });
    if (!answer) return undefined;
    if (!isFailure(answer) && !options.statuses.includes(answer.status)) return substitute(answer);
    letGo(answer);
    return undefined;
  },
});

/** Nobody may keep another's answer as if it were this resource's, nor ask whether it still is. */
const substitute = (answer: Response): Response => {
  const response = new Response(answer.body, answer);
  response.headers.set("cache-control", "no-store");
  for (const name of ["etag", "last-modified", "expires", "age"]) response.headers.delete(name);
  return response;
};

const fixed = ({ status = 200, headers, contentType = "application/json", body }: FixedAnswer): Step => {
  const all = {
    ...headers,
    "cache-control": "no-store",
    ...(body !== undefined && { "content-type": contentType }),
  };
  return {
    kind: "static",
    take: async ({ exchange }) =>
      new Response(exchange.request.method === "HEAD" ? null : (body ?? null), { status, headers: all }),
  };
};
