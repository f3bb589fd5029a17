/** What stands around sending on a route, in order: only the parts that its policy has. */
import { context } from "@opentelemetry/api";
import { LIMITS } from "#shared/limits.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import type { Handler, Part } from "./exchange.ts";
import type { KeptParts } from "./kept-parts.ts";
import { authentication } from "./parts/authentication/authentication.ts";
import type { AuthenticationMemory } from "./parts/authentication/authentication-memory.ts";
import { type CacheOptions, cache } from "./parts/cache/cache.ts";
import { compression } from "./parts/compression/compression.ts";
import { cors } from "./parts/cors/cors.ts";
import type { SendElsewhere } from "./parts/fallback/elsewhere.ts";
import { fallback } from "./parts/fallback/fallback.ts";
import { fault } from "./parts/fault/fault.ts";
import { FAULT_DEFAULTS } from "./parts/fault/fault-schema.ts";
import { headerEdits } from "./parts/header-edits/header-edits.ts";
import { lifecycle } from "./parts/lifecycle/lifecycle.ts";
import { limits } from "./parts/limits/limits.ts";
import { mirror } from "./parts/mirror/mirror.ts";
import { type RateLimitOptions, rateLimit } from "./parts/rate-limit/rate-limit.ts";
import { securityHeaders } from "./parts/security-headers/security-headers.ts";
import { serverTiming } from "./parts/server-timing/server-timing.ts";
import { type SessionOptions, session } from "./parts/session/session.ts";
import { type ValidationOptions, validation } from "./parts/validation/validation.ts";
import { mergedPart } from "./policy/merged-part.ts";
import { policyOf } from "./policy/policy.ts";
import type { WrittenPolicy } from "./policy/policy-schema.ts";
import type { Tools } from "./policy/upstream-parts.ts";

export interface PartsOptions
  extends Pick<RateLimitOptions, "locationLimiter" | "exactLimiters">,
    Pick<CacheOptions, "location" | "newName">,
    Pick<SessionOptions, "store">,
    Pick<ValidationOptions, "documents"> {
  readonly tools: Tools;
  readonly kept: KeptParts;
  readonly authenticationMemory: AuthenticationMemory;
  readonly entry: (service: string) => ServiceEntry | undefined;
  readonly sendElsewhere: SendElsewhere;
}

export interface RouteMaking {
  readonly route: string;
  /** Each stronger than the one before it. */
  readonly layers: readonly WrittenPolicy[];
  readonly send: Handler;
}

type Written<Name extends keyof WrittenPolicy> = Exclude<WrittenPolicy[Name], false | undefined>;

/** To be called once for each route and configuration. */
export const compileRoute = ({ route, layers, send }: RouteMaking, options: PartsOptions): Handler => {
  const { tools, kept, sendElsewhere } = options;
  const on = <Name extends keyof WrittenPolicy, Made>(
    name: Name,
    make: (written: Written<Name>) => Made,
  ): Made | undefined => {
    const written = mergedPart(layers.map((layer) => layer[name])) as Written<Name> | undefined;
    return written && make(written);
  };
  /** What remembers something goes on remembering while its own settings are the same. */
  const lasting = <Name extends keyof WrittenPolicy, Made>(
    name: Name,
    make: (written: Written<Name>) => Made,
  ): Made | undefined => on(name, (written) => kept.keep(route, name, written, () => make(written)));

  const stored = lasting("cache", (written) => cache(written, { ...options, ...tools }));
  const { deadlineMs, retry } = policyOf(...layers);
  const failing = {
    ...tools,
    sendElsewhere,
    deadlineMs: deadlineMs || LIMITS.latencyMs,
    safeMethods: retry ? retry.safeMethods : [],
    ...(stored ? { stale: stored.staleAnswer } : {}),
  };
  const ended = layers.findLast((layer) => layer.lifecycle !== undefined)?.lifecycle;
  const endings = lifecycle(mergedPart(layers.map((layer) => layer.lifecycle)) ?? {}, {
    ...tools,
    entryOf: ({ service }) => options.entry(service),
    majorOf: ({ major }) => major,
  });
  // On unless switched off: every body has a bound.
  const bounds = layers.findLast((layer) => layer.limits !== undefined)?.limits;
  const faults = on("fault", (written) => ({
    at: written.at ?? FAULT_DEFAULTS.at,
    part: fault(written, tools),
  }));
  const around = [
    on("serverTiming", (written) => serverTiming(written, tools)),
    on("headers", headerEdits),
    on("securityHeaders", securityHeaders),
    on("compression", compression),
    on("cors", cors),
    faults?.at === "client" ? faults.part : undefined,
    bounds === false ? undefined : limits(mergedPart(layers.map((layer) => layer.limits)) ?? {}),
    lasting("session", (written) => session(written, { ...options, ...tools })),
    on("authentication", (written) => authentication(written, options.authenticationMemory)),
    lasting("rateLimit", (written) => rateLimit(written, { ...options, ...tools, route })),
    on("validation", (written) => validation(written, { ...options, ...failing })),
    stored,
    lasting("mirror", (written) => mirror(written, { ...tools, sendElsewhere })),
    on("fallback", (written) => fallback(written, failing)),
    faults?.at === "service" ? faults.part : undefined,
  ].filter((part): part is Part => part !== undefined);
  const handler = around.reduceRight((next, part) => part(next), send);
  const inTrace = asksOthers(layers) ? active(handler) : handler;
  // Off unless written, but for what instances register: only `false` means that, too.
  return ended === false ? inTrace : endings(inTrace);
};

/** Whether a part asks an Actor or a service by itself: its question belongs to the exchange's trace. */
const asksOthers = (layers: readonly WrittenPolicy[]): boolean => {
  const limits = mergedPart(layers.map((layer) => layer.rateLimit)) ?? [];
  const isExact = [limits].flat().some(({ tier }) => tier === "exact");
  return isExact || mergedPart(layers.map((layer) => layer.validation)) !== undefined;
};

/** A recorded trace is active already; one that nobody records costs a tenth of the throughput to make active. */
const active =
  (handler: Handler): Handler =>
  (exchange) =>
    context.with(exchange.trace, handler, undefined, exchange);
