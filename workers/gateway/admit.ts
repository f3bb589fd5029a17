/** What is refused of any request, before anybody looks where it goes. */
import { LIMITS } from "#shared/limits.ts";
import type { Arrival } from "./arrival.ts";
import { refusal } from "./exchange.ts";
import { isSameForAll } from "./request-path.ts";

/** Where configuration comes in, which may be large; the control plane bounds the rest itself. */
const CONTROL_PATH = "/control/v1/";

/**
 * Refuses a path that others would read otherwise, and a body that declares to be over the bound. A chunked body streams
 * through: the service that reads it keeps the same bound.
 */
export const admit = (arrival: Arrival): Response | undefined => {
  const { request, path } = arrival;
  if (!isSameForAll(path, request.url)) {
    return refusal(
      arrival,
      "not_found",
      `Looking for ${JSON.stringify(path.slice(0, 200))}: no such address.`,
    );
  }
  const declared = request.headers.get("content-length");
  const most = path.startsWith(CONTROL_PATH) ? LIMITS.configBodyBytes : LIMITS.requestBodyBytes;
  if (declared === null || !(Number(declared) > most)) return undefined;
  const size = `it has ${JSON.stringify(declared.slice(0, 30))} bytes`;
  return refusal(arrival, "body_too_large", `Reading the body: ${size}; expected at most ${most}.`);
};
