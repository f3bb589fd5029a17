/** Paged lists: `limit`, an opaque `cursor`, and `Link: rel="next"` (RFC 8288). */
import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { err, ok, type Result } from "../result.ts";
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import type { Failure } from "./errors.ts";

const CURSOR_LENGTH_MAX = 1_024;
const LIMIT_DEFAULT = 20;

/** The query parameters of every list; spread them into its strict object. */
export const pageParameters = {
  limit: z
    .string()
    .regex(/^[0-9]{1,9}$/, `expected a whole number of 1 to ${LIMITS.pageItems}`)
    .transform(Number)
    .pipe(z.int().min(1).max(LIMITS.pageItems))
    .default(LIMIT_DEFAULT)
    .meta({
      type: "integer",
      minimum: 1,
      maximum: LIMITS.pageItems,
      default: LIMIT_DEFAULT,
      description: "Items of one page",
    }),
  cursor: z
    .string()
    .max(CURSOR_LENGTH_MAX)
    .optional()
    .meta({ description: "Where the page begins: taken from the `next` link, never made up" }),
};

/** Makes a place in a list opaque; `place` is small JSON data. */
export const encodeCursor = (place: unknown): string =>
  encodeBase64url(new TextEncoder().encode(JSON.stringify(place)));

/** The place that a cursor names, in the form that `schema` asks for; a changed cursor is refused. */
export const decodeCursor = <Place>(
  cursor: string,
  schema: z.ZodType<Place>,
): Result<Place, Failure<"invalid_parameter">> => {
  const bytes = cursor.length <= CURSOR_LENGTH_MAX ? decodeBase64url(cursor) : undefined;
  const place = schema.safeParse(bytes && parseJson(bytes));
  if (place.success) return ok(place.data);
  return err({
    code: "invalid_parameter",
    detail: `Reading the cursor ${JSON.stringify(cursor.slice(0, 64))}: expected one from a "next" link.`,
  });
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
};

/** The `Link` header of a page that has another after it: the same request with another cursor, relative to the host. */
export const nextLink = (requestUrl: string, cursor: string): string => {
  const { pathname, searchParams } = new URL(requestUrl);
  searchParams.set("cursor", cursor);
  return `<${pathname}?${searchParams}>; rel="next"`;
};
