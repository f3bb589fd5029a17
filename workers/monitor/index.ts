/** The monitor: what it is made of. */
import { DurableObject, env } from "cloudflare:workers";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { metricStore } from "./metric-store.ts";
import { monitorApp } from "./routes.ts";
import { traceStore } from "./trace-store.ts";

interface Env {
  readonly TRACE_STORE: DurableObjectNamespace<TraceStore>;
  readonly METRIC_STORE: DurableObjectNamespace<MetricStore>;
}

export class TraceStore extends DurableObject<Env> {
  readonly #actor = hostDurableActor(this.ctx, traceStore, { kind: "monitor/traces" });

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }
}

export class MetricStore extends DurableObject<Env> {
  readonly #actor = hostDurableActor(this.ctx, ({ sql }) => metricStore({ sql, clock: systemClock }), {
    kind: "monitor/metrics",
  });

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }
}

const { TRACE_STORE, METRIC_STORE } = env as unknown as Env;
const app = monitorApp({ traces: durableActors(TRACE_STORE), metrics: durableActors(METRIC_STORE) });

export default { fetch: (request) => app.fetch(request) } satisfies ExportedHandler;
