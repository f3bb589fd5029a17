/** Reads and writes the query of the trace list, for the page and its JSON twin. By hand: a schema library would be nine tenths of this worker. */
import { decodeBase64url, encodeBase64url } from "#shared/http/base64url.ts";
import type { Failure } from "#shared/http/errors.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { ListPlace, TraceFilter } from "./trace-list.ts";

const LIMIT_DEFAULT = 50;
const TEXT_LENGTH_MAX = 200;

type Refusal = Failure<"invalid_parameter">;

/** Empty values, as a form sends them, are as good as absent; unknown parameters are ignored. */
export const listQuery = (parameters: Readonly<Record<string, string>>): Result<TraceFilter, Refusal> => {
  const { limit = "", cursor = "", service = "", error = "", q = "" } = parameters;
  if (limit !== "" && !(/^\d{1,3}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIMITS.pageItems))
    return refuse("limit", limit, `a whole number of 1 to ${LIMITS.pageItems}`);
  if (!["", "true", "false"].includes(error)) return refuse("error", error, "true or false");
  if (service.length > TEXT_LENGTH_MAX)
    return refuse("service", service, `at most ${TEXT_LENGTH_MAX} characters`);
  if (q.length > TEXT_LENGTH_MAX) return refuse("q", q, `at most ${TEXT_LENGTH_MAX} characters`);
  const after = cursor === "" ? undefined : decodePlace(cursor);
  if (cursor !== "" && !after) return refuse("cursor", cursor, 'one from a "next" link');
  return ok({
    limit: Number(limit || LIMIT_DEFAULT),
    after,
    service: service || undefined,
    errorsOnly: error === "true",
    text: q.trim() || undefined,
  });
};

const refuse = (name: string, value: string, expected: string): { ok: false; error: Refusal } =>
  err({
    code: "invalid_parameter",
    detail: `Reading the parameter "${name}" from ${JSON.stringify(value.slice(0, 64))}: expected ${expected}.`,
  });

/** The cursor that names a place: opaque to clients. */
export const encodePlace = ({ startUs, traceId }: ListPlace): string =>
  encodeBase64url(new TextEncoder().encode(`${startUs}.${traceId}`));

const decodePlace = (cursor: string): ListPlace | undefined => {
  const bytes = cursor.length <= 128 ? decodeBase64url(cursor) : undefined;
  const place = /^(\d{1,16})\.([0-9a-f]{32})$/.exec(new TextDecoder().decode(bytes));
  return place?.[1] && place[2] ? { startUs: Number(place[1]), traceId: place[2] } : undefined;
};

/** A path with the same query, beginning at another place; at the newest without one. */
export const pathAt = (url: string, place: ListPlace | undefined): string => {
  const { pathname, searchParams } = new URL(url);
  searchParams.delete("cursor");
  if (place) searchParams.set("cursor", encodePlace(place));
  return `${pathname}${searchParams.size > 0 ? `?${searchParams}` : ""}`;
};
