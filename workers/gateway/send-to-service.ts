/** The end of a route: to an instance of a service, by its policy. */
import type { Exchange, Handler } from "./exchange.ts";
import { NO_INSTANCE } from "./policy/refusal.ts";
import { sendRequest } from "./policy/send-request.ts";
import type { ServicePolicies } from "./policy/service-policies.ts";
import type { Tools } from "./policy/upstream-parts.ts";
import { refuseRouting, refuseSending } from "./refusals.ts";
import type { RegisteredServices, RegistryLink } from "./registered-services.ts";
import { rolloutArm } from "./rollout-arm.ts";
import type { ServicePath } from "./service-path.ts";

export interface SendToServiceOptions {
  readonly link: RegistryLink;
  readonly services: RegisteredServices;
  readonly policies: ServicePolicies;
  readonly tools: Tools;
  readonly path: ServicePath;
}

export const sendToService = (options: SendToServiceOptions): Handler => {
  const { link, services, policies, tools, path } = options;
  const { service } = path;
  const major = path.major as number;

  const lookAgain = async () => {
    const now = (await link.lookNow()) && services.find(path);
    return now !== false && now.ok ? now.value : undefined;
  };

  const countArm = (answer: Response): void => {
    const mark = answer.headers.get("skerry-config");
    if (mark === null) return;
    const arm = rolloutArm(mark);
    if (arm) link.count({ service, ...arm, failed: answer.status >= 500 });
  };

  return async (exchange: Exchange) => {
    let found = services.find(path);
    if (!found.ok && (await link.lookNow())) found = services.find(path);
    if (!found.ok) {
      if (found.error.code === "no_healthy_instance") exchange.refusal = NO_INSTANCE;
      return refuseRouting(exchange, path, found.error);
    }
    const parts = policies.of(service, major);
    const sent = await sendRequest({ exchange, parts, targets: found.value, lookAgain }, tools);
    if (!sent.ok) {
      exchange.refusal = sent.error;
      return refuseSending(exchange, service, sent.error);
    }
    countArm(sent.value);
    return sent.value;
  };
};
