/** Two gateways' rate limits over one Durable Object class: `GET /?isolate=0` answers as the part does. */
import { DurableObject } from "cloudflare:workers";
import { systemTimer } from "#shared/resilience/deadline-timer.ts";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { answered, fakeExchange } from "#workers/gateway/fake-exchange.ts";
import { rateLimit } from "#workers/gateway/parts/rate-limit/rate-limit.ts";
import { type RateLimitMethods, rateLimitActor } from "#workers/gateway/parts/rate-limit/rate-limit-actor.ts";

interface Env {
  RATE_LIMITS: DurableObjectNamespace<RateLimits>;
}

export class RateLimits extends DurableObject<Env> {
  readonly #actor = hostDurableActor(this.ctx, (context) => rateLimitActor(context, systemClock), {
    kind: "gateway/rate-limits",
  });
  call(call: ActorCall) {
    return this.#actor.call(call);
  }
  override alarm() {
    return this.#actor.alarm();
  }
}

const SETTINGS = { limit: 10, periodSeconds: 3_600, by: { header: "x-caller" }, tier: "exact" } as const;

let handlers: ReturnType<ReturnType<typeof rateLimit>>[] | undefined;

export default {
  async fetch(request, env) {
    handlers ??= [0, 1].map(() =>
      rateLimit(SETTINGS, {
        route: "shop",
        clock: systemClock,
        // A machine that has other work must not make isolates go by their own counts: exactness is looked at here.
        timer: (ms, run) => systemTimer(ms * 100, run),
        locationLimiter: () => undefined,
        exactLimiters: durableActors<RateLimitMethods>(env.RATE_LIMITS),
      })(async () => new Response("ok")),
    );
    const handler = handlers[Number(new URL(request.url).searchParams.get("isolate"))];
    if (!handler) return new Response(null, { status: 404 });
    return answered(handler, fakeExchange("/", { headers: request.headers }));
  },
} satisfies ExportedHandler<Env>;
