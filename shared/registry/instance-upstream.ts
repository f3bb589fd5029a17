/** How an instance is reached from here: over a service binding where there is one of its name, else at its URL. */
import type { Upstream } from "../http/upstream.ts";
import { bindingUpstream } from "../http/upstream-binding.ts";
import { urlUpstream } from "../http/upstream-url.ts";
import type { Instance } from "./instance.ts";

/** The worker's own service bindings, by name. */
export type Bindings = Readonly<Record<string, Pick<Fetcher, "fetch">>>;

export interface InstanceUpstreamOptions {
  readonly bindings: Bindings;
  /** For an instance at a URL, from sending to the answer's headers; asked at each request. */
  readonly timeoutMs: () => number;
}

/** Undefined when the instance cannot be reached from here: a binding that this worker does not have, and no URL. */
export const instanceUpstream = (
  { binding, url }: Pick<Instance, "binding" | "url">,
  { bindings, timeoutMs }: InstanceUpstreamOptions,
): Upstream | undefined => {
  const own = binding !== undefined && Object.hasOwn(bindings, binding) ? bindings[binding] : undefined;
  if (own) return bindingUpstream(own);
  return url !== undefined && URL.canParse(url) ? urlUpstream({ baseUrl: url, timeoutMs }) : undefined;
};

/** What of a worker's `env` is a service binding. */
export const serviceBindings = (env: Readonly<Record<string, unknown>>): Bindings =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, Fetcher] => isFetcher(entry[1])));

const isFetcher = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as Partial<Fetcher>).fetch === "function";
