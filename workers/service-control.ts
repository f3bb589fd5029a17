/** Ties a service's isolate to the control plane: its link, its configuration, its feature flags. */
import { type Client, OpenFeature } from "@openfeature/server-sdk";
import type { z } from "zod";
import type { Config } from "#shared/config/config.ts";
import { skerryProvider } from "#shared/config/flags/openfeature-provider.ts";
import { lazySealer } from "#shared/config/lazy-sealer.ts";
import { type ControlLink, controlLink } from "#shared/control/link.ts";
import { lookAtControl } from "#shared/control/look-at-control.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { workersKv } from "#shared/storage/workers-kv.ts";

/** What every service has for it in its `wrangler.toml`. Without it a service goes by its schema's defaults. */
export interface ControlEnv {
  readonly CONTROL?: Fetcher;
  readonly SNAPSHOTS?: KVNamespace;
  readonly SKERRY_PROFILE?: string;
  /** Opens the secrets in the service's configuration. */
  readonly CONFIG_KEYS?: string;
}

export interface ServiceControl<T> {
  readonly link: ControlLink;
  readonly config: Config<T>;
  /** Evaluates in memory, by what was loaded last. */
  readonly flags: Client;
}

/** Call it once in an isolate, inside a request: outside of requests the platform gives no randomness. */
export const serviceControl = <Schema extends z.ZodType>(
  service: string,
  schema: Schema,
  { CONTROL, SNAPSHOTS, SKERRY_PROFILE, CONFIG_KEYS }: ControlEnv,
): ServiceControl<z.infer<Schema>> => {
  const link = controlLink({
    service,
    profile: SKERRY_PROFILE ?? "default",
    isolate: crypto.randomUUID(),
    look: CONTROL ? lookAtControl(bindingUpstream(CONTROL)) : noControl,
    snapshots: SNAPSHOTS && workersKv(SNAPSHOTS),
    secrets: CONFIG_KEYS ? lazySealer(CONFIG_KEYS) : undefined,
    clock: systemClock,
  });
  const config = link.config(schema);
  const flags = (key?: string) => config.flags(key === undefined ? {} : { key });
  OpenFeature.setProvider(service, skerryProvider({ flags, onChange: config.onFlagsChange }));
  return { link, config, flags: OpenFeature.getClient(service) };
};

const noControl = () => Promise.reject(new Error('The worker has no service binding "CONTROL"'));
