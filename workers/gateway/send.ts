/** The end of a way: to an instance of a service, or to a fixed URL, by its policy. */
import { SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import { urlUpstream } from "#shared/http/upstream-url.ts";
import { ANYBODY } from "#shared/identity/caller.ts";
import type { IdentityMinter } from "#shared/identity/identity-minter.ts";
import { LIMITS } from "#shared/limits.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";
import { type Exchange, type Handler, type HeaderEdit, refusal } from "./exchange.ts";
import { noSuchMinor, ofMinor } from "./parts/versions/of-minor.ts";
import { refuseVersion } from "./parts/versions/refuse-version.ts";
import { NO_INSTANCE } from "./policy/refusal.ts";
import { sendRequest } from "./policy/send-request.ts";
import type { RoutesOwn, ServicePolicies } from "./policy/service-policies.ts";
import type { Target } from "./policy/target.ts";
import type { Tools, UpstreamParts } from "./policy/upstream-parts.ts";
import { refuseRouting, refuseSending } from "./refusals.ts";
import type { RegisteredServices, RegistryLink } from "./registered-services.ts";
import { INTERNAL_PREFIX } from "./request-fields.ts";
import { rolloutArm } from "./rollout-arm.ts";
import type { ServicePath } from "./service-path.ts";

export interface SendOptions {
  readonly link: RegistryLink;
  readonly services: RegisteredServices;
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  /** Tells services who calls; without it they are told nothing. What goes to a fixed URL says nothing in any case. */
  readonly minter?: IdentityMinter | undefined;
}

/** @param own what the route writes for itself */
export const sendToService = (
  { service, major }: { readonly service: string; readonly major: number },
  own: RoutesOwn | undefined,
  options: SendOptions,
): Handler => {
  const { link, services, policies, tools, minter } = options;
  const path: ServicePath = { service, version: `v${major}`, major };
  let parts: UpstreamParts | undefined;

  const lookAgain = async (minor: number) => {
    const now = (await link.lookNow()) && services.find(path);
    const targets = now !== false && now.ok ? ofMinor(now.value, minor) : [];
    return targets.length > 0 ? targets : undefined;
  };

  const countArm = (answer: Response): void => {
    const mark = answer.headers.get("skerry-config");
    const arm = mark === null ? undefined : rolloutArm(mark);
    if (arm) link.count({ service, ...arm, failed: answer.status >= 500 });
  };

  return async (exchange) => {
    let found = services.find(path);
    // Only a refusal is checked: an answer by what was known a second ago is no wrong answer.
    if (!found.ok && (await link.lookNow())) found = services.find(path);
    if (!found.ok) {
      exchange.refusal = NO_INSTANCE;
      return refuseRouting(exchange, path, found.error);
    }
    const targets = ofMinor(found.value, exchange.minor);
    if (targets.length === 0) {
      return refuseVersion(exchange, noSuchMinor(found.value, { major, minor: exchange.minor }));
    }
    // The same as long as the configuration is, and with another one there is another handler.
    parts ??= policies.of(service, major, own);
    const minted = minter?.mint(exchange.caller ?? ANYBODY);
    // Mostly there already: then nothing is waited for.
    const identity = typeof minted === "object" ? await minted.catch(() => undefined) : minted;
    if (minter && identity === undefined) return refusal(exchange, "internal_error", CANNOT_SIGN);
    const began = exchange.timings ? tools.clock() : 0;
    const sent = await sendRequest({ exchange, identity, parts, targets, lookAgain }, tools);
    exchange.timings?.push({ name: "upstream", ms: tools.clock() - began });
    if (!sent.ok) {
      exchange.refusal = sent.error;
      return refuseSending(exchange, service, sent.error);
    }
    countArm(sent.value);
    return sent.value;
  };
};

/** The key has the right form, and is none: see `readPrivateKeys`. */
const CANNOT_SIGN = "Telling the service who calls: the gateway's key cannot sign.";

/** To the newest major of a service that the registry did not have when the request came. */
export const sendToNobody = (service: string, own: RoutesOwn | undefined, options: SendOptions): Handler => {
  const { link, services } = options;
  return async (exchange) => {
    const major = (await link.lookNow()) ? services.majors(service).at(-1) : undefined;
    if (major !== undefined) return sendToService({ service, major }, own, options)(exchange);
    exchange.refusal = NO_INSTANCE;
    return refuseRouting(exchange, { service, version: "", major }, { code: "not_registered" });
  };
};

export const sendToUrl = (
  url: string,
  own: RoutesOwn | undefined,
  { policies, tools }: SendOptions,
): Handler => {
  const targets = [urlTarget(url)];
  const lookAgain = async () => undefined;
  let parts: UpstreamParts | undefined;
  return async (exchange: Exchange) => {
    parts ??= policies.of(url, 0, own);
    const outward = withoutInternal(exchange);
    const began = exchange.timings ? tools.clock() : 0;
    const sent = await sendRequest({ exchange: outward, parts, targets, lookAgain }, tools);
    exchange.timings?.push({ name: "upstream", ms: tools.clock() - began });
    if (sent.ok) return withoutSession(sent.value);
    exchange.refusal = sent.error;
    return refuseSending(exchange, new URL(url).host, sent.error);
  };
};

/** What parts tell services of the platform, a session's content for one, is not for others. */
const withoutInternal = (exchange: Exchange): Exchange => {
  const { onward } = exchange;
  const isInternal = ({ name }: HeaderEdit) => name.startsWith(INTERNAL_PREFIX);
  if (!onward?.some(isInternal)) return exchange;
  return { ...exchange, onward: onward.filter((edit) => !isInternal(edit)) };
};

/** Only services of the platform may say who is signed in. */
const withoutSession = (answer: Response): Response => {
  // The one that switches protocols sets no session, and is rid of the field when it leaves.
  if (answer.status === SWITCHING_PROTOCOLS || !answer.headers.has(SET_SESSION_FIELD)) return answer;
  const stripped = new Response(answer.body, answer);
  stripped.headers.delete(SET_SESSION_FIELD);
  return stripped;
};

const SWITCHING_PROTOCOLS = 101;

export const urlTarget = (url: string): Target => ({
  id: url,
  version: "0.0.0",
  weight: 1,
  atUrl: true,
  upstream: tracedUpstream(urlUpstream({ baseUrl: url, timeoutMs: LIMITS.latencyMs }), {
    service: new URL(url).host,
  }),
});
