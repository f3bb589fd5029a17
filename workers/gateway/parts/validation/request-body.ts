/** Holds a request's body to what an operation declares of it, and leaves the exchange one that can be read. */
import type { Deadline } from "#shared/resilience/deadline.ts";
import { replayableBody } from "#shared/resilience/replayable-body.ts";
import type { Exchange } from "../../exchange.ts";
import type { Unchecked } from "./bounded-check.ts";
import { essenceOf, isJsonType } from "./media-types.ts";
import { type NotValid, whole } from "./not-valid.ts";
import type { CheckedBody } from "./operations.ts";

export interface BodyBounds {
  readonly bytesMax: number;
  /** Ends the wait for a slow body, which has broken off then. */
  readonly deadline: Pick<Deadline, "signal">;
}

/** What is wrong with it; a word where it was not looked at; undefined where it is as it should be. */
export type BodyVerdict = NotValid | Unchecked | undefined;

export const checkBody = async (
  exchange: Exchange,
  body: CheckedBody,
  { bytesMax, deadline }: BodyBounds,
): Promise<BodyVerdict> => {
  const { request } = exchange;
  const written = request.headers.get("content-type");
  const essence = essenceOf(written);
  if (request.body === null) return body.required ? NO_BODY : undefined;
  const type = body.types.of(essence);
  if (!type) return body.types.names.length === 0 ? undefined : wrongType(written ?? "", body);
  const check = body.check(type);
  if (!check || !isJsonType(essence)) return undefined;
  const bytes = await bytesOf(exchange, { bytesMax, deadline });
  if (!bytes) return "too_large";
  if (bytes.byteLength === 0) return body.required ? NO_BODY : undefined;
  const read = readJson(bytes);
  if (!read.ok) return read.notValid;
  const found = check(read.value);
  if (typeof found === "string" || found.length === 0) return typeof found === "string" ? found : undefined;
  return { code: "invalid_body", subject: "body", errors: found };
};

const NO_BODY: NotValid = whole("invalid_body", "body", "expected a body: it is required");

const wrongType = (written: string, { types }: CheckedBody): NotValid => ({
  ...whole(
    "unsupported_media_type",
    "body",
    `its Content-Type is ${JSON.stringify(written.slice(0, 100))}; expected one of ${types.names.slice(0, 10).join(", ")}`,
  ),
});

/** Undefined where there are more, or it broke off: then it streams on as it came. */
const bytesOf = async (
  exchange: Exchange,
  { bytesMax, deadline }: BodyBounds,
): Promise<Uint8Array | undefined> => {
  const { request } = exchange;
  const { url, method, redirect, signal } = request;
  if (Number(request.headers.get("content-length")) > bytesMax) return undefined;
  const body = await replayableBody(request, { bytesMax, signal: deadline.signal });
  const opened = body.open();
  const headers = new Headers(request.headers);
  // The platform knows what is sent.
  headers.delete("content-length");
  exchange.request = new Request(url, { method, headers, redirect, signal, ...opened });
  if (!body.replayable || opened.body instanceof ReadableStream) return undefined;
  return opened.body ?? new Uint8Array();
};

type ReadJson = { ok: true; value: unknown } | { ok: false; notValid: NotValid };

const readJson = (bytes: Uint8Array): ReadJson => {
  try {
    return {
      ok: true,
      value: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
    };
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message.slice(0, 200) : "it is not UTF-8";
    return { ok: false, notValid: whole("invalid_json", "body as JSON", reason) };
  }
};
