/** The telemetry suite's service as a worker with a Durable Object, as it is bundled for workerd. */
import { DurableObject } from "cloudflare:workers";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { withTrace } from "#shared/telemetry/propagation.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { telemetryApp } from "./telemetry-app.ts";

interface Env {
  SERVICE: string;
  MONITOR: Fetcher;
  BACK?: Fetcher;
  RECORDER: DurableObjectNamespace<Recorder>;
}

const telemetryOf = (env: Env) =>
  startWorkerTelemetry({
    service: env.SERVICE,
    version: "1.2.3",
    send: (request) => env.MONITOR.fetch(request),
  });

export class Recorder extends DurableObject<Env> {
  async record(): Promise<void> {
    telemetryOf(this.env).flushSoon((work) => this.ctx.waitUntil(work));
    await withTrace({}, () => inSpan("in the actor", {}, async () => {}));
  }
}

export default {
  async fetch(request, env, ctx) {
    const waitUntil = (work: Promise<unknown>) => ctx.waitUntil(work);
    telemetryOf(env).flushSoon(waitUntil);
    if (new URL(request.url).pathname === "/actor") {
      await env.RECORDER.get(env.RECORDER.idFromName("one")).record();
      return new Response("recorded");
    }
    return telemetryApp({ back: env.BACK ?? env.MONITOR, waitUntil }).fetch(request);
  },
} satisfies ExportedHandler<Env>;
