/** Compresses answers that clients want compressed; the runtime does the work when it sends a body that is said to be so. */
import { type Exchange, editAnswer, type Part } from "../../exchange.ts";
import { varyBy } from "../../vary-by.ts";
import { acceptedEncoding } from "./accepted-encoding.ts";
import type { WrittenCompression } from "./compression-schema.ts";

export const COMPRESSION_DEFAULTS = { encodings: ["br", "gzip"], minimumBytes: 1_024 } as const;

/**
 * In Workers a `Response` that says `Content-Encoding: gzip` or `br` and has `encodeBody: "automatic"`, as every one has
 * by default, is encoded natively when it leaves. So a header is all that is changed, and no body runs through JavaScript.
 */
export const compression = (written: WrittenCompression): Part => {
  const encodings = written.encodings ?? COMPRESSION_DEFAULTS.encodings;
  const minimumBytes = written.minimumBytes ?? COMPRESSION_DEFAULTS.minimumBytes;

  return (next) =>
    async function compression(exchange) {
      const answer = await next(exchange);
      if (answer.status === NOT_MODIFIED) return asItWasCompressed(exchange, answer);
      if (!isCompressible(answer)) return answer;
      varyBy(exchange, answer, ["accept-encoding"]);
      const accepted = exchange.request.headers.get("accept-encoding");
      const { encoding, identityRefused } = acceptedEncoding(accepted, encodings);
      if (encoding === undefined || answer.body === null) return answer;
      if (!identityRefused && isSmall(answer, minimumBytes)) return answer;
      editAnswer(exchange, { kind: "set", name: "content-encoding", value: encoding });
      editAnswer(exchange, { kind: "remove", name: "content-length", value: "" });
      weaken(exchange, answer.headers.get("etag"));
      return answer;
    };
};

const NOT_MODIFIED = 304;
const COMPRESSIBLE =
  /^(?:text\/|image\/(?:svg\+xml|bmp|x-icon)$|font\/(?:otf|ttf)$|application\/(?:json|javascript|xml|wasm|manifest\+json|problem\+json|graphql|x-javascript|rtf)$|application\/[\w.+-]{1,80}\+(?:json|xml|text)$)/;
/** Compressing holds back what is sent piece by piece until it is all there. */
const PIECE_BY_PIECE = /^(?:text\/event-stream|application\/json-seq|application\/stream\+json)$/;

const isCompressible = ({ status, headers }: Response): boolean => {
  if (status < 200 || status === 204 || status === 206 || headers.has("content-encoding")) return false;
  // The digest of a body holds for the body as it was sent.
  if (headers.has("content-digest") || headers.has("content-range")) return false;
  if (/(?:^|[,\s])no-transform(?:$|[,\s])/i.test(headers.get("cache-control") ?? "")) return false;
  const type = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return COMPRESSIBLE.test(type) && !PIECE_BY_PIECE.test(type);
};

const isSmall = ({ headers }: Response, minimumBytes: number): boolean => {
  const length = headers.get("content-length");
  return length !== null && Number(length) < minimumBytes;
};

/** What the client has is a compressed answer when it names it by the tag that compressing gave it. */
const asItWasCompressed = (exchange: Exchange, answer: Response): Response => {
  const etag = answer.headers.get("etag");
  const known = exchange.request.headers.get("if-none-match");
  if (etag === null || !known?.includes(`W/${etag}`)) return answer;
  weaken(exchange, etag);
  varyBy(exchange, answer, ["accept-encoding"]);
  return answer;
};

/** The same content in other bytes is equivalent, and no longer the same (RFC 9110 section 8.8.1). */
const weaken = (exchange: Exchange, etag: string | null): void => {
  if (etag !== null && !etag.startsWith("W/"))
    editAnswer(exchange, { kind: "set", name: "etag", value: `W/${etag}` });
};
