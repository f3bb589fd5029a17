/** The gateway's composition root. */
import { DurableObject, env } from "cloudflare:workers";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { lazySealer } from "#shared/config/lazy-sealer.ts";
import { controlLink } from "#shared/control/link.ts";
import { lookAtControl } from "#shared/control/look-at-control.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { publicJwks, readPrivateKeys } from "#shared/identity/identity-keys.ts";
import { identityMinter } from "#shared/identity/identity-minter.ts";
import { LIMITS } from "#shared/limits.ts";
import { instanceUpstream, serviceBindings } from "#shared/registry/instance-upstream.ts";
import { systemTimer } from "#shared/resilience/deadline-timer.ts";
import { hintedBreakers } from "#shared/resilience/hints/hinted-breakers.ts";
import type { ActorCall } from "#shared/runtime/actor.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";
import { durableActors, hostDurableActor } from "#shared/runtime/durable-actor.ts";
import { workersKv } from "#shared/storage/workers-kv.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { GATEWAY_CONFIG } from "./contract.ts";
import { keptParts } from "./kept-parts.ts";
import { authenticationMemory } from "./parts/authentication/authentication-memory.ts";
import { locationCache } from "./parts/cache/location-cache.ts";
import type { LocationLimiter } from "./parts/rate-limit/location-tier.ts";
import { type RateLimitMethods, rateLimitActor } from "./parts/rate-limit/rate-limit-actor.ts";
import { createPipeline } from "./pipeline.ts";
import { servicePolicies } from "./policy/service-policies.ts";
import { registeredServices } from "./registered-services.ts";
import { requestNames } from "./request-id.ts";

interface GatewayEnv {
  readonly RATE_LIMITS: DurableObjectNamespace;
  /** Opens the secrets in the gateway's configuration. */
  readonly CONFIG_KEYS?: string;
  /** Sign who calls, for the services. */
  readonly IDENTITY_PRIVATE_KEYS?: string;
  readonly MONITOR: Fetcher;
  readonly DOCS: Fetcher;
  readonly CONTROL: Fetcher;
  readonly SNAPSHOTS: KVNamespace;
  /** For routes whose sessions are in the KeyValue store. */
  readonly SESSIONS?: KVNamespace;
  readonly SKERRY_PROFILE: string;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string;
  readonly OTEL_EXPORTER_OTLP_HEADERS?: string;
}

const own = env as unknown as GatewayEnv;
const monitor = bindingUpstream(own.MONITOR);
const control = bindingUpstream(own.CONTROL);

const telemetry = startWorkerTelemetry({
  service: "gateway",
  version: "1.0.0",
  // Told on, but never believed: here the header comes from outside.
  epochs: { current: () => gateway?.link.epoch() ?? 0, saw: () => undefined },
  send: sendSpansTo({
    monitor,
    endpoint: own.OTEL_EXPORTER_OTLP_ENDPOINT,
    headers: own.OTEL_EXPORTER_OTLP_HEADERS,
  }),
});

/** Made by the first request: outside of requests the platform gives no randomness. */
const makeGateway = () => {
  const link = controlLink({
    service: "gateway",
    profile: own.SKERRY_PROFILE,
    isolate: crypto.randomUUID(),
    look: lookAtControl(control),
    snapshots: workersKv(own.SNAPSHOTS),
    secrets: own.CONFIG_KEYS ? lazySealer(own.CONFIG_KEYS) : undefined,
    clock: systemClock,
  });
  const config = link.config(GATEWAY_CONFIG);
  const reach = {
    bindings: serviceBindings(env as unknown as Readonly<Record<string, unknown>>),
    // Deadlines are the policies'; this only ends what nobody waits for any more.
    timeoutMs: () => LIMITS.latencyMs,
  };
  const services = registeredServices({
    link,
    upstreamOf: (instance) => instanceUpstream(instance, reach),
    random: Math.random,
  });
  const tools = { clock: systemClock, random: Math.random, sleep, timer: systemTimer };
  const fetchKeys = (request: Request) => fetch(request);
  const policies = servicePolicies({
    ...tools,
    config: () => config.get(),
    isRegistered: (service) => (link.entry(service)?.instances.length ?? 0) > 0,
    breakerMoved: (name, transition) => hinted.moved(name, transition),
  });
  const hinted = hintedBreakers({ ...tools, find: policies.knownBreaker, report: link.reportBreaker });
  link.onBreakerNews(hinted.heard);
  const app = createPipeline({
    link,
    services,
    policies,
    tools,
    config: () => config.get(),
    kept: keptParts(),
    newName: () => crypto.randomUUID(),
    location: locationCache(caches),
    locationLimiter,
    exactLimiters: durableActors<RateLimitMethods>(own.RATE_LIMITS),
    authenticationMemory: authenticationMemory({ ...tools, fetch: fetchKeys }),
    store: own.SESSIONS && workersKv(own.SESSIONS),
    ...identityOf(own.IDENTITY_PRIVATE_KEYS),
    monitor,
    docs: bindingUpstream(own.DOCS),
    control: tracedUpstream(control, { service: "control" }),
    startsTrace: telemetry.startsTrace,
    warn: (message) => console.warn(message),
    newRequestId: requestNames(() => crypto.randomUUID()),
  });
  return { link, app };
};

/** @throws Error when they are none: then nothing is sent on */
const identityOf = (privateKeys: string | undefined) => {
  if (privateKeys === undefined) {
    console.warn(
      "The gateway does not tell services who calls: it was started without IDENTITY_PRIVATE_KEYS",
    );
    return {};
  }
  const keys = readPrivateKeys(privateKeys);
  return { minter: identityMinter({ keys, clock: systemClock }), identityKeys: publicJwks(keys) };
};

const locationLimiter = (name: string): LocationLimiter | undefined => {
  const binding = (env as unknown as Readonly<Record<string, unknown>>)[name] as
    | Partial<LocationLimiter>
    | undefined;
  return typeof binding?.limit === "function" ? (binding as LocationLimiter) : undefined;
};

let gateway: ReturnType<typeof makeGateway> | undefined;

/** Counts what is limited exactly, one for each route and share of its callers. */
export class RateLimits extends DurableObject<GatewayEnv> {
  readonly #actor = hostDurableActor(this.ctx, (context) => rateLimitActor(context, systemClock), {
    kind: "gateway/rate-limits",
    afterWork: telemetry.flushSoon,
  });

  call(call: ActorCall): Promise<unknown> {
    return this.#actor.call(call);
  }

  override alarm(): Promise<void> {
    return this.#actor.alarm();
  }
}

export default {
  async fetch(request, _, context) {
    gateway ??= makeGateway();
    const { link, app } = gateway;
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
    telemetry.flushSoon(waitUntil);
    const answer = await app.fetch(request, context);
    link.lookSoon(waitUntil);
    return answer;
  },
} satisfies ExportedHandler;
