/** What is refused of any request, or made plain, before anybody looks where it goes. */
import { LIMITS } from "#shared/limits.ts";
import type { Arrival } from "./arrival.ts";
import type { GatewayConfig } from "./contract.ts";
import { refusal } from "./exchange.ts";
import { hasEscapedSlash, isHost, isSameForAll, withoutEmptySegments, withPath } from "./request-path.ts";
import { passesIn } from "./via.ts";

/** Where configuration comes in, which may be large; the control plane bounds the rest itself. */
const CONTROL_PATH = "/control/v1/";

/** A service that repeats a request, as TRACE asks it to, would tell the client what the gateway tells services alone. */
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/**
 * Refuses what is too large, a path that others would read otherwise, a `Host` that is none, what goes in a circle, and `TRACE`:
 * whatever the gateway could not send on would count against the service. A chunked body streams through: its route has a bound for it.
 */
export const admit = (arrival: Arrival): Response | undefined => {
  const { request, fields, path } = arrival;
  const { url } = request;
  if (url.length > LIMITS.urlCharacters) return refuseLong(arrival);
  if (!isHost(fields.get("host"))) return refuseHost(arrival);
  if (fields.fields > LIMITS.requestHeaderFields || fields.bytes > LIMITS.requestHeaderBytes)
    return refuseHeader(arrival);
  if (!isSameForAll(path, url)) {
    return refusal(arrival, "not_found", `Looking for ${quoted(path)}: no such address.`);
  }
  if (request.method === "TRACE") return refuseTrace(arrival);
  const via = fields.get("via");
  if (via !== null && passesIn(via) >= LIMITS.gatewayPasses) return refuseCircle(arrival);
  const declared = fields.get("content-length");
  const most = path.startsWith(CONTROL_PATH) ? LIMITS.configBodyBytes : LIMITS.routeBodyBytes;
  if (declared === null || !(Number(declared) > most)) return undefined;
  const size = `it has ${JSON.stringify(declared.slice(0, 30))} bytes`;
  return refusal(arrival, "body_too_large", `Reading the body: ${size}; expected at most ${most}.`);
};

/** Takes several slashes for one, for whoever gets to see the request. @param arrival one that was admitted */
export const mergeSlashes = (arrival: Arrival): void => {
  const path = withoutEmptySegments(arrival.path);
  if (path === arrival.path) return;
  const { request } = arrival;
  arrival.request = new Request(withPath(request.url, path), request);
  arrival.path = path;
};

/**
 * A route is found by segments as they stand, `a%2Fb` is one: a service that splits what it has decoded would go by another
 * path than the route that was to guard it.
 * @param rule read only where there is such a path
 */
export const refuseEscapedSlash = (
  arrival: Arrival,
  rule: () => GatewayConfig["escapedSlashes"],
): Response | undefined => {
  if (!hasEscapedSlash(arrival.path) || rule() === "keep") return undefined;
  const detail = `Reading the path ${quoted(arrival.path)}: expected no slash or backslash as %2F or %5C.`;
  return refusal(arrival, "invalid_parameter", detail);
};

const refuseLong = ({ request, path, requestId }: Arrival): Response => {
  const length = `it has ${request.url.length} characters`;
  const detail = `Reading the address: ${length}; expected at most ${LIMITS.urlCharacters}.`;
  return refusal({ requestId, path: path.slice(0, 200) }, "uri_too_long", detail);
};

const refuseHost = (arrival: Arrival): Response => {
  const found = quoted(arrival.fields.get("host") ?? "");
  const detail = `Reading "Host": found ${found}; expected one host, with or without a port.`;
  return refusal(arrival, "malformed_request", detail);
};

const refuseHeader = (arrival: Arrival): Response => {
  const { fields, bytes } = arrival.fields;
  const most = `at most ${LIMITS.requestHeaderFields} fields and ${LIMITS.requestHeaderBytes} bytes`;
  const detail = `Reading the header: it has ${fields} fields and ${bytes} bytes; expected ${most}.`;
  return refusal(arrival, "headers_too_large", detail);
};

const refuseCircle = (arrival: Arrival): Response => {
  const detail = `Reading "Via": the request came through ${LIMITS.gatewayPasses} gateways or more; expected no route that leads back to itself.`;
  return refusal(arrival, "loop_detected", detail);
};

const refuseTrace = (arrival: Arrival): Response => {
  const detail = `Calling TRACE on ${quoted(arrival.path)}: expected one of ${METHODS}.`;
  return refusal(arrival, "method_not_allowed", detail, { allow: METHODS });
};

const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));
