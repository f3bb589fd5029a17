/** Finds out who calls and lets in who may, by keys, tokens or certificates. */
import { trace } from "@opentelemetry/api";
import { type Exchange, editOnward, type Handler, type Part } from "../../exchange.ts";
import { apiKeys } from "./api-keys.ts";
import type { AuthenticationMemory } from "./authentication-memory.ts";
import type { AuthenticationSettings } from "./authentication-schema.ts";
import { bearerTokens } from "./bearer-tokens.ts";
import { certificates } from "./certificates.ts";
import { refuseFailures, refuseFault, refuseMissing, refuseScopes } from "./challenges.ts";
import { FAILURE_DEFAULTS, failuresOf } from "./failures.ts";
import type { Authenticated, Check, Method } from "./method.ts";
import { mayPass } from "./scopes.ts";

export const AUTHENTICATION_DEFAULTS = {
  optional: false,
  scopes: [],
  anyScope: [],
  forwardCredentials: false,
  failures: FAILURE_DEFAULTS,
} as const satisfies AuthenticationSettings;

/**
 * The first credential that is presented decides: a key, else a token, else a certificate, else the session. One that is not valid is refused,
 * also where none is needed, and no other one is looked at.
 */
export const authentication = (settings: AuthenticationSettings, memory: AuthenticationMemory): Part => {
  const { scopes = AUTHENTICATION_DEFAULTS.scopes, anyScope = AUTHENTICATION_DEFAULTS.anyScope } = settings;
  const isOptional = settings.optional ?? AUTHENTICATION_DEFAULTS.optional;
  const forwardCredentials = settings.forwardCredentials ?? AUTHENTICATION_DEFAULTS.forwardCredentials;
  const methods = methodsOf(settings, memory);
  const { failures: counted = AUTHENTICATION_DEFAULTS.failures } = settings;
  const failures = counted && failuresOf(counted, memory);
  const needed = { all: scopes, any: anyScope };
  const named = [...new Set([...scopes, ...anyScope])];
  const letsAnybodyIn = isOptional && named.length === 0;

  const passOn = (
    exchange: Exchange,
    { method, judged }: { readonly method: Method; readonly judged: Authenticated },
    next: Handler,
  ): Response | Promise<Response> => {
    if (!judged.ok) return refuseFault(exchange, method, judged.error);
    if (!mayPass(judged.value.scopes, needed)) return refuseScopes(exchange, method, named);
    exchange.caller = judged.value;
    tellTenant(exchange);
    if (!forwardCredentials) keepCredentials(exchange, method, methods);
    return next(exchange);
  };

  /** Or how long nothing new is looked at, because too much was not valid. */
  const judgedNow = async (
    judging: Promise<Authenticated> | Check,
    exchange: Exchange,
  ): Promise<Authenticated | { readonly waitMs: number }> => {
    const isNew = typeof judging === "function";
    const waitMs = failures && isNew ? failures.waitMs(exchange) : 0;
    if (waitMs > 0) return { waitMs };
    const judged = await (isNew ? judging() : judging);
    if (failures && !judged.ok && judged.error.guess) failures.add(exchange);
    return judged;
  };

  return (next) =>
    async function authentication(exchange) {
      for (const method of methods) {
        const credential = method.credential(exchange.request);
        if (credential === undefined) continue;
        const judging = method.judge(credential, exchange);
        const judged = "ok" in judging ? judging : await judgedNow(judging, exchange);
        if ("waitMs" in judged) return refuseFailures(exchange, judged.waitMs);
        return passOn(exchange, { method, judged }, next);
      }
      // A session, which was looked at before, has named the caller.
      const known = exchange.caller;
      if (known && known.by !== "none") {
        tellTenant(exchange);
        return mayPass(known.scopes, needed) ? next(exchange) : refuseScopes(exchange, undefined, named);
      }
      return letsAnybodyIn ? next(exchange) : refuseMissing(exchange, methods);
    };
};

const methodsOf = (settings: AuthenticationSettings, memory: AuthenticationMemory): readonly Method[] => [
  ...(settings.apiKeys ? [apiKeys(settings.apiKeys, memory, Boolean(settings.jwt))] : []),
  ...(settings.jwt ? [bearerTokens(settings.jwt, memory)] : []),
  ...(settings.mtls ? [certificates(settings.mtls)] : []),
];

/** In the span alone: by it operators find one tenant's requests, and a metric would have a series for each. */
const tellTenant = ({ caller, trace: context }: Exchange): void => {
  if (caller?.tenant !== undefined) trace.getSpan(context)?.setAttribute("skerry.tenant", caller.tenant);
};

/** Also those after the one that decided: a service must not take for checked what was not. */
const keepCredentials = (exchange: Exchange, decided: Method, methods: readonly Method[]): void => {
  for (const method of methods.slice(methods.indexOf(decided))) {
    const isThere = method === decided || method.credential(exchange.request) !== undefined;
    if (isThere && method.header !== undefined)
      editOnward(exchange, { kind: "remove", name: method.header, value: "" });
  }
};
