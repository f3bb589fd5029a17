/** Reads a request's JSON within bounds: bytes, depth, and text that every store can keep unchanged. */
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import type { Failure, PLATFORM_PROBLEMS } from "./errors.ts";

export type BodyFailure = Failure<
  Extract<
    keyof typeof PLATFORM_PROBLEMS,
    "invalid_json" | "body_too_large" | "unsupported_media_type" | "invalid_body"
  >
>;

/** No body of any service nests deeper than a handful; the rest of the stack may then recurse. */
const DEPTH_MAX = 32;
const JSON_MEDIA_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const SUSPECT_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/**
 * The body's text, checked to be JSON that parses; undefined for an empty body without a media type.
 * Refuses: over `bytesMax` (also when chunked), not `application/json`, not UTF-8, not JSON, nested
 * deeper than `DEPTH_MAX`, or holding NUL or half a surrogate pair (SQL and UTF-8 would change them silently).
 */
export const readJsonBody = async (
  request: Request,
  bytesMax: number = LIMITS.requestBodyBytes,
): Promise<Result<string | undefined, BodyFailure>> => {
  const mediaType = request.headers.get("content-type");
  if (mediaType !== null && !JSON_MEDIA_TYPE.test(mediaType)) return err(wrongMediaType(mediaType));
  const bytes = await readBounded(request, bytesMax);
  if (bytes === undefined) return err(tooLarge(bytesMax));
  if (mediaType === null) return bytes.byteLength === 0 ? ok(undefined) : err(wrongMediaType(""));
  const text = decode(bytes);
  if (text === undefined) return err(invalidJson("it is not UTF-8"));
  if (isTooDeep(text)) return err(invalidJson(`it is nested deeper than ${DEPTH_MAX} levels`));
  return checkJson(text);
};

const checkJson = (text: string): Result<string, BodyFailure> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(invalidJson(text === "" ? "it is empty" : (error as SyntaxError).message));
  }
  if (SUSPECT_ESCAPE.test(text) && holdsUnstorableText(value)) {
    return err({
      code: "invalid_body",
      detail: "Reading the body: a text holds NUL or half a surrogate pair; expected well-formed Unicode.",
    });
  }
  return ok(text);
};

/** Undefined when there is more than the bound; then the rest is not read. */
const readBounded = async (request: Request, bytesMax: number): Promise<Uint8Array | undefined> => {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > bytesMax) return undefined;
  if (request.body === null) return new Uint8Array();
  if (Number.isSafeInteger(declared)) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.byteLength > bytesMax ? undefined : bytes;
  }
  return readStream(request.body, bytesMax);
};

const readStream = async (
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array | undefined> => {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(chunks, size);
    size += value.byteLength;
    if (size > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
};

const concat = (chunks: readonly Uint8Array[], size: number): Uint8Array => {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
};

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** Counts brackets outside of strings before anything is parsed, so that no recursion ever meets the depth. */
const isTooDeep = (text: string): boolean => {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > DEPTH_MAX) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return false;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const holdsUnstorableText = (value: unknown): boolean => {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => holdsUnstorableText(key) || holdsUnstorableText(item));
};

const invalidJson = (reason: string): BodyFailure => ({
  code: "invalid_json",
  detail: `Reading the body as JSON: ${reason}.`,
});

const wrongMediaType = (mediaType: string): BodyFailure => ({
  code: "unsupported_media_type",
  detail: `Reading the body: its Content-Type is "${mediaType}"; expected "application/json".`,
});

const tooLarge = (bytesMax: number): BodyFailure => ({
  code: "body_too_large",
  detail: `Reading the body: expected at most ${bytesMax} bytes.`,
});
