/** One instance's two requests to the registry, each bounded in time, their failures as values. */
import { LIMITS } from "../../limits.ts";

export interface RegistryClientOptions {
  /** Without a slash at the end: "https://shop.example". */
  readonly gatewayUrl: string;
  /** A bearer token with the role `write`. */
  readonly token: string;
  readonly service: string;
  /** Unlike that of any other instance of the service; best of each start, because an id that drains is not free yet. */
  readonly id: string;
  /** The platform's when absent. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

export type RegistryAnswer =
  | { readonly kind: "accepted" }
  /** Somebody asked for this id's removal: it takes no work and is not renewed, until it is removed. */
  | { readonly kind: "draining"; readonly message: string }
  /** The same request would be refused again. */
  | { readonly kind: "refused"; readonly message: string }
  /** Nobody answered, or the answer says that it may be another one later. */
  | { readonly kind: "unreachable"; readonly message: string };

export interface RegistryClient {
  /** Registers and renews. */
  put(registration: string, signal: AbortSignal): Promise<RegistryAnswer>;
  /** Asks for no more work. An instance that the registry does not have is removed already. */
  remove(drainSeconds: number, signal: AbortSignal): Promise<RegistryAnswer>;
}

/** 4xx that pass by themselves: a request that took too long, and too many of them. */
const PASSING = new Set([408, 429]);

const SHOWN_CHARACTERS = 300;
const ANSWER_CHARACTERS = 65_536;

export const registryClient = ({
  gatewayUrl,
  token,
  service,
  id,
  fetch = globalFetch,
}: RegistryClientOptions): RegistryClient => {
  const instance = `${gatewayUrl}/control/v1/registry/${encodeURIComponent(service)}/instances/${encodeURIComponent(id)}`;

  /** The answer's status and the start of its body, or why none came. */
  const send = async (url: string, init: RequestInit, signal: AbortSignal) => {
    try {
      const request = new Request(url, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          ...(init.body !== undefined && { "content-type": "application/json" }),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMITS.registrarRequestMs)]),
      });
      const response = await fetch(request);
      return { status: response.status, text: (await response.text()).slice(0, ANSWER_CHARACTERS) };
    } catch (error) {
      return { status: 0, text: String(error) };
    }
  };

  const failure = (attempted: string, { status, text }: { status: number; text: string }): RegistryAnswer => {
    const said = status === 0 ? "no answer came" : `it answered ${status}, expected 2xx`;
    const message = `${attempted} the instance "${id}" of "${service}" at "${gatewayUrl}": ${said}: ${text.slice(0, SHOWN_CHARACTERS)}`;
    const isFinal = status >= 400 && status < 500 && !PASSING.has(status);
    return { kind: isFinal ? "refused" : "unreachable", message };
  };

  return {
    async put(body, signal) {
      const answer = await send(instance, { method: "PUT", body }, signal);
      if (!isSuccess(answer.status)) return failure("Registering", answer);
      const message = `The instance "${id}" of "${service}" is being drained by somebody`;
      return stateIn(answer.text) === "draining" ? { kind: "draining", message } : { kind: "accepted" };
    },
    async remove(drainSeconds, signal) {
      const answer = await send(`${instance}?drainSeconds=${drainSeconds}`, { method: "DELETE" }, signal);
      return isSuccess(answer.status) || answer.status === NOT_FOUND
        ? { kind: "accepted" }
        : failure("Removing", answer);
    },
  };
};

const stateIn = (text: string): unknown => {
  try {
    return (JSON.parse(text) as { state?: unknown } | null)?.state;
  } catch {
    return undefined;
  }
};

const NOT_FOUND = 404;
const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const globalFetch = (request: Request) => globalThis.fetch(request);
