/** An answer as it leaves the gateway: named, and with the changes that the parts of its route have collected. */
import { SET_SESSION_FIELD } from "#shared/http/session-fields.ts";
import type { Exchange } from "./exchange.ts";
import { edit } from "./onward-request.ts";
import { HOP_BY_HOP, namedBy } from "./request-fields.ts";

const SWITCHING_PROTOCOLS = 101;

/** Copies it only when it must change, because a copy costs a tenth of the throughput; services name their answers themselves. */
export const finished = (answer: Response, { answer: edits, requestId }: Exchange): Response => {
  if (answer.status === SWITCHING_PROTOCOLS) return switched(answer);
  const { headers } = answer;
  const connection = headers.get("connection");
  if (!edits && connection === null && headers.has("x-request-id") && !headers.has(SET_SESSION_FIELD))
    return answer;
  const response = new Response(answer.body, answer);
  if (connection !== null) removeConnection(response.headers, connection);
  if (!headers.has("x-request-id")) response.headers.set("x-request-id", requestId);
  if (edits) edit(response.headers, edits);
  // The one word that services have for the gateway alone; a route without sessions has nobody who takes it.
  response.headers.delete(SET_SESSION_FIELD);
  return response;
};

/** What was meant for the gateway alone (RFC 9110 section 7.6.1); before edits, which may set what it names. */
const removeConnection = (headers: Headers, connection: string): void => {
  for (const name of [...HOP_BY_HOP, ...namedBy(connection)]) headers.delete(name);
};

/** What is no longer HTTP has nobody who would read its headers; what is not the client's to know is taken away all the same. */
const switched = (answer: Response): Response => {
  if (!answer.headers.has(SET_SESSION_FIELD)) return answer;
  const headers = new Headers(answer.headers);
  headers.delete(SET_SESSION_FIELD);
  return new Response(null, { status: SWITCHING_PROTOCOLS, headers, webSocket: answer.webSocket });
};
