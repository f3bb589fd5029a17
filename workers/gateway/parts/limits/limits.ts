/** Refuses requests that are too large, and cuts off bodies that turn out to be. */
import { type Exchange, type Handler, type Part, refusal } from "../../exchange.ts";
import { type BodyEnd, countedBody } from "./counted-body.ts";
import { LIMITS_DEFAULTS, type WrittenLimits } from "./limits-schema.ts";

/**
 * To stand before all that read a body. A body of a declared length costs a look at its length; only one of an unknown
 * length is counted as it streams. What is wrong with it is the client's doing, and told by the request's signal: then no
 * instance has failed, and nothing is tried again.
 */
export const limits = (written: WrittenLimits): Part => {
  const bodyBytes = written.bodyBytes ?? LIMITS_DEFAULTS.bodyBytes;
  const refuseHeader = headerBound(written);

  return (next) =>
    function limits(exchange) {
      const refused = refuseHeader?.(exchange);
      if (refused) return Promise.resolve(refused);
      const declared = exchange.fields.get("content-length");
      if (declared !== null && Number(declared) <= bodyBytes) return next(exchange);
      if (Number(declared) > bodyBytes) return Promise.resolve(refuseBody(exchange, declared, bodyBytes));
      const { body } = exchange.request;
      return body === null ? next(exchange) : counting(next, exchange, { body, bodyBytes });
    };
};

/** Undefined where the bounds of all requests are enough, which were looked at before. */
const headerBound = (written: WrittenLimits): ((exchange: Exchange) => Response | undefined) | undefined => {
  if (written.headerBytes === undefined && written.headerCount === undefined) return undefined;
  const { headerBytes = LIMITS_DEFAULTS.headerBytes, headerCount = LIMITS_DEFAULTS.headerCount } = written;
  return (exchange) => {
    const { fields, bytes } = exchange.fields;
    if (fields <= headerCount && bytes <= headerBytes) return undefined;
    const most = `at most ${headerCount} fields and ${headerBytes} bytes`;
    const detail = `Reading the header: it has ${fields} fields and ${bytes} bytes; expected ${most}.`;
    return refusal(exchange, "headers_too_large", detail);
  };
};

interface Counting {
  readonly body: ReadableStream<Uint8Array>;
  readonly bodyBytes: number;
}

const counting = async (
  next: Handler,
  exchange: Exchange,
  { body, bodyBytes }: Counting,
): Promise<Response> => {
  const { request } = exchange;
  // No platform takes such a request with another body than its own.
  if (request.method === "GET" || request.method === "HEAD") {
    const detail = `Reading the body of a ${request.method}: expected its length in "Content-Length".`;
    return refusal(exchange, "length_required", detail);
  }
  const cut = new AbortController();
  let end: BodyEnd | undefined;
  const counted = countedBody(body, bodyBytes, (how) => {
    end = how;
    cut.abort(new DOMException(`The body was cut off: ${how}`, "AbortError"));
  });
  const signal = AbortSignal.any([request.signal, cut.signal]);
  // `duplex` is what Node wants to be told with a stream.
  const init = { body: counted, signal, duplex: "half" } as RequestInit;
  exchange.request = new Request(request, init);
  const answer = await next(exchange);
  if (end === undefined) return answer;
  answer.body?.cancel().catch(() => undefined);
  return end === "over" ? refuseBody(exchange, undefined, bodyBytes) : refuseBroken(exchange);
};

const refuseBody = (exchange: Exchange, declared: string | undefined | null, most: number): Response => {
  const size = declared ? `${JSON.stringify(declared.slice(0, 30))} bytes` : "more";
  const detail = `Reading the body: it has ${size}; expected at most ${most} bytes.`;
  return refusal(exchange, "body_too_large", detail);
};

const refuseBroken = (exchange: Exchange): Response =>
  refusal(exchange, "malformed_request", "Reading the body: it broke off; expected chunks to its end.");
