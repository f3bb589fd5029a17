/** An answer as it leaves the gateway: named, and with the changes that the parts of its route have collected. */
import { SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import type { Exchange } from "./exchange.ts";
import { edit } from "./onward-request.ts";

const SWITCHING_PROTOCOLS = 101;

/** Copies it only when it must change, because a copy costs a tenth of the throughput; services name their answers themselves. */
export const finished = (answer: Response, { answer: edits, requestId }: Exchange): Response => {
  // What is no longer HTTP has nobody who would read its headers.
  if (answer.status === SWITCHING_PROTOCOLS) return answer;
  const { headers } = answer;
  if (!edits && headers.has("x-request-id") && !headers.has(SET_SESSION_FIELD)) return answer;
  const response = new Response(answer.body, answer);
  if (!headers.has("x-request-id")) response.headers.set("x-request-id", requestId);
  if (edits) edit(response.headers, edits);
  // The one word that services have for the gateway alone; a route without sessions has nobody who takes it.
  response.headers.delete(SET_SESSION_FIELD);
  return response;
};
