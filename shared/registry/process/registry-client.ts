/** One instance's two requests to the registry, each bounded in time, their failures as values. */
import { LIMITS } from "../../limits.ts";

export interface RegistryClientOptions {
  /** Without a slash at the end: "https://shop.example". */
  readonly gatewayUrl: string;
  /** A bearer token with the role `write`. */
  readonly token: string;
  readonly service: string;
  /** Unlike that of any other instance of the service. */
  readonly id: string;
  /** The platform's when absent. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export type RegistryAnswer =
  | { readonly kind: "accepted" }
  /** The same request would be refused again. */
  | { readonly kind: "refused"; readonly message: string }
  /** Nobody answered, or the answer says that it may be another one later. */
  | { readonly kind: "unreachable"; readonly message: string };

export interface RegistryClient {
  /** Registers and renews. */
  put(registration: string, signal: AbortSignal): Promise<RegistryAnswer>;
  /** Asks for no more work. An instance that the registry does not have is removed already. */
  remove(signal: AbortSignal): Promise<RegistryAnswer>;
}

/** 4xx that pass by themselves: a request that took too long, and too many of them. */
const PASSING = new Set([408, 429]);

const SHOWN_CHARACTERS = 300;

export const registryClient = ({
  gatewayUrl,
  token,
  service,
  id,
  fetch = globalFetch,
}: RegistryClientOptions): RegistryClient => {
  const path = `/control/v1/registry/${encodeURIComponent(service)}/instances/${encodeURIComponent(id)}`;

  const send = async (
    init: RequestInit & { method: string },
    signal: AbortSignal,
  ): Promise<RegistryAnswer> => {
    const attempted = `Asking the registry at "${gatewayUrl}" to ${init.method} the instance "${id}" of "${service}"`;
    try {
      const request = new Request(`${gatewayUrl}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMITS.registrarRequestMs)]),
      });
      const response = await fetch(request);
      const text = (await response.text()).slice(0, SHOWN_CHARACTERS);
      if (response.ok || (init.method === "DELETE" && response.status === 404)) return { kind: "accepted" };
      const isFinal = response.status >= 400 && response.status < 500 && !PASSING.has(response.status);
      const message = `${attempted}: it answered ${response.status}, expected 2xx: ${text}`;
      return { kind: isFinal ? "refused" : "unreachable", message };
    } catch (error) {
      return { kind: "unreachable", message: `${attempted}: no answer came: ${String(error)}` };
    }
  };

  return {
    put: (body, signal) => send({ method: "PUT", body }, signal),
    remove: (signal) => send({ method: "DELETE" }, signal),
  };
};

const globalFetch = (request: Request) => globalThis.fetch(request);
