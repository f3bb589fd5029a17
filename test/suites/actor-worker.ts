/** Hosts the probe Actor in a Durable Object, reached by `POST /?name=…&method=…` with JSON. */
import { DurableObject } from "cloudflare:workers";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { withTrace } from "#shared/telemetry/propagation.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { probeActor } from "./actor-probe.ts";

interface Env {
  PROBES: DurableObjectNamespace<Probe>;
}

recordSpans();

export class Probe extends DurableObject<Env> {
  actor = hostDurableActor(this.ctx, (context) => probeActor(context, systemClock), { kind: "probe" });
  call(call: ActorCall) {
    return this.actor.call(call);
  }
  override alarm() {
    return this.actor.alarm();
  }
}

export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    const [name, method] = [searchParams.get("name") ?? "", searchParams.get("method") ?? ""];
    const probe = durableActors<Record<string, (input: unknown) => Promise<unknown>>>(env.PROBES).named(name);
    const input = await request.json();
    const trace = Object.fromEntries(request.headers);
    try {
      const output = await withTrace(trace, () => probe[method]?.(input));
      return Response.json({ output });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
} satisfies ExportedHandler<Env>;
