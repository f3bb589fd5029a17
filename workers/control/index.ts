/** The control plane's composition root. */
import { DurableObject, env } from "cloudflare:workers";
import { natsConnector } from "#nats/connection.ts";
import { epochBroadcast } from "#nats/epoch-broadcast.ts";
import { CONTROL_USER } from "#nats/subjects.ts";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import type { ReadinessCheck } from "#shared/http/readiness.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { err, ok } from "#shared/result.ts";
import type { ActorCall, ActorContext } from "#shared/runtime/actor.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { workersKv } from "#shared/storage/workers-kv.ts";
import { controlApp } from "./app.ts";
import { CONTROL } from "./contract.ts";
import { CONTROL_PLANE, type ControlMethods, controlPlane } from "./control-plane.ts";
import { probeInstance } from "./registry/probe-instance.ts";
import { keysProblem } from "./seals.ts";
import type { Telling } from "./told-epoch.ts";

interface ControlEnv {
  readonly CONTROL_PLANE: DurableObjectNamespace;
  readonly SNAPSHOTS: KVNamespace;
  readonly CATALOG: Fetcher;
  readonly ORDERS: Fetcher;
  readonly INVENTORY: Fetcher;
  readonly PAYMENTS: Fetcher;
  readonly MONITOR: Fetcher;
  /** The first admin's token. */
  readonly CONTROL_ADMIN_TOKEN?: string;
  /** Seals secrets: "id:base64,id:base64", the first one seals. */
  readonly CONTROL_KEYS?: string;
  /** Hosts that instances may be registered at. */
  readonly REGISTRY_ALLOWED_HOSTS?: string;
  /** The address of the NATS server over which long-lived processes hear of new epochs; without, they ask. */
  readonly NATS_URL?: string;
  readonly NATS_CREDS?: string;
  readonly NATS_CA?: string;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
}

const bindings = env as unknown as ControlEnv;
const { CATALOG, ORDERS, INVENTORY, PAYMENTS, MONITOR, CONTROL_ADMIN_TOKEN, CONTROL_KEYS, NATS_URL } =
  bindings;

const telemetry = startWorkerTelemetry({
  service: CONTROL.service,
  version: CONTROL.version,
  send: sendSpansTo({
    monitor: bindingUpstream(MONITOR),
    endpoint: bindings.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: bindings.OTEL_EXPORTER_OTLP_HEADERS,
  }),
});

/** What instances may stand behind by name. */
const upstreams = Object.fromEntries(
  Object.entries({ CATALOG, ORDERS, INVENTORY, PAYMENTS, MONITOR }).map(([name, binding]) => [
    name,
    bindingUpstream(binding),
  ]),
);

const broadcastTo = (url: string | undefined): ((epoch: number) => Promise<void>) =>
  url
    ? epochBroadcast({
        connector: natsConnector({
          url,
          name: CONTROL_PLANE,
          user: CONTROL_USER,
          creds: bindings.NATS_CREDS,
          ca: bindings.NATS_CA,
          clock: systemClock,
        }),
      })
    : async () => undefined;

export class ControlPlane extends DurableObject<ControlEnv> {
  readonly #actor = hostDurableActor(
    this.ctx,
    (context: ActorContext) =>
      controlPlane({
        context,
        snapshots: workersKv(bindings.SNAPSHOTS),
        clock: systemClock,
        random: Math.random,
        keys: CONTROL_KEYS,
        probe: probeInstance({ bindings: upstreams, fetchUrl: (request) => fetch(request) }),
        allowedHosts: bindings.REGISTRY_ALLOWED_HOSTS ?? "",
        bindings: Object.keys(upstreams),
        broadcast: broadcastTo(NATS_URL),
      }),
    { kind: CONTROL.service, afterWork: telemetry.flushSoon },
  );

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }
  override alarm(): Promise<void> {
    return this.#actor.alarm();
  }
}

const actor = durableActors<Telling<ControlMethods>>(bindings.CONTROL_PLANE).named(CONTROL_PLANE);

const configuration: ReadinessCheck = {
  name: "configuration",
  async check() {
    const problems = [
      CONTROL_ADMIN_TOKEN ? undefined : "CONTROL_ADMIN_TOKEN is not set",
      keysProblem(CONTROL_KEYS),
    ].filter((problem) => problem !== undefined);
    return problems.length === 0
      ? ok(undefined)
      : err({ detail: `${problems.join(" and ")}: expected as secrets of the worker` });
  },
};

const app = controlApp({
  actor,
  adminToken: CONTROL_ADMIN_TOKEN,
  clock: systemClock,
  readiness: [configuration, { name: "actor", check: async () => ok(await actor.status(undefined)) }],
});

export default {
  fetch(request, _, context) {
    telemetry.flushSoon((work) => context.waitUntil(work));
    return app.fetch(request, bindings, context);
  },
} satisfies ExportedHandler;
