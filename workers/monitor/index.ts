/** The monitor: what it is made of. */
import { DurableObject, env } from "cloudflare:workers";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { monitorApp } from "./routes.ts";
import { traceStore } from "./trace-store.ts";

interface Env {
  readonly TRACE_STORE: DurableObjectNamespace<TraceStore>;
}

export class TraceStore extends DurableObject<Env> {
  readonly #actor = hostDurableActor(this.ctx, traceStore, { kind: "monitor/traces" });

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }
}

const app = monitorApp(durableActors((env as unknown as Env).TRACE_STORE));

export default { fetch: (request) => app.fetch(request) } satisfies ExportedHandler;
