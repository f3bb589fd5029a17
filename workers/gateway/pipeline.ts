/** One request through the gateway, on one screen: trace, name, bound, find its route, go the route's way. */
import { servedInSpan } from "#shared/telemetry/http-server.ts";
import { admit, mergeSlashes, refuseEscapedSlash } from "./admit.ts";
import type { Arrival } from "./arrival.ts";
import { openApiDocuments } from "./documents/openapi-documents.ts";
import { refusal } from "./exchange.ts";
import { finished } from "./finished.ts";
import { type GatewayWaysOptions, gatewayWays } from "./gateway-ways.ts";
import { type OwnAppOptions, ownApp } from "./own-app.ts";
import type { Platform } from "./platform.ts";
import { refuseWay } from "./refusals.ts";
import { readFields } from "./request-fields.ts";
import { acceptRequestId } from "./request-id.ts";
import { requestPath } from "./request-path.ts";
import { varyBy } from "./vary-by.ts";

export interface PipelineOptions
  extends Omit<OwnAppOptions, "documents">,
    Omit<GatewayWaysOptions, "documents"> {
  /** Names a request whose client did not. */
  readonly newRequestId: () => string;
  /** Whether a trace that begins here is recorded, known before there is a span; every one may be when absent. */
  readonly startsTrace?: (path: string) => boolean;
}

export interface Pipeline {
  /** Never rejects. */
  fetch(request: Request, platform: Platform): Promise<Response>;
}

/** A fault of the gateway's own, which the platform would answer in its own form. */
const failed = (requestId: string, path: string, error: unknown): Response => {
  console.error(`Answering the request "${requestId}": ${error instanceof Error ? error.stack : error}`);
  return refusal({ requestId, path }, "internal_error", "The request was not completed.");
};

/** What the gateway answers itself, the routes of its configuration, and `/{service}/v{major}/…` by the registry. */
export const createPipeline = (options: PipelineOptions): Pipeline => {
  const { link, services, tools, newRequestId, startsTrace } = options;
  const documents = openApiDocuments({ link, services, clock: tools.clock, timer: tools.timer });
  const own = ownApp({ ...options, documents });
  const ways = gatewayWays({ ...options, documents });

  const answer = async (arrival: Arrival): Promise<Response> => {
    const refused = admit(arrival);
    if (refused) return refused;
    mergeSlashes(arrival);
    if (own.owns(arrival.path)) return own.answer(arrival);
    if (!link.loaded()) await link.load((work) => arrival.platform.waitUntil(work));
    const unclear = refuseEscapedSlash(arrival, () => options.config().escapedSlashes);
    if (unclear) return unclear;
    let found = ways.find(arrival);
    // Only a refusal is checked: an answer by what was known a second ago is no wrong answer.
    if (!found.ok && (await link.lookNow())) found = ways.find(arrival);
    if (!found.ok)
      return found.error.code === "no_route" ? own.answer(arrival) : refuseWay(arrival, found.error);
    const { going, exchange } = found.value;
    arrival.template = going.way.template;
    const answer = await going.way.handler(exchange);
    if (going.vary) varyBy(exchange, answer, going.vary);
    return finished(answer, exchange);
  };

  return {
    fetch(request, platform) {
      const path = requestPath(request.url);
      const fields = readFields(request.headers);
      const requestId = acceptRequestId(fields.get("x-request-id")) ?? newRequestId();
      let arrival: Arrival | undefined;
      const routeOf = () => arrival?.template;
      return servedInSpan({ request, fields, path, routeOf, startsTrace }, (trace) => {
        arrival = { request, fields, requestId, path, trace, platform };
        return answer(arrival).catch((error: unknown) => failed(requestId, path, error));
      });
    },
  };
};
