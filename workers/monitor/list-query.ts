/** Reads the query of the trace list: the page's form and the JSON API share it. */
import { z } from "zod";
import type { Failure } from "#shared/http/errors.ts";
import { decodeCursor, pageParameters } from "#shared/http/page.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { ListPlace, TraceFilter } from "./trace-list.ts";

const query = z.object({
  ...pageParameters,
  limit: pageParameters.limit.unwrap().default(50),
  service: z.string().max(100).optional(),
  /** A ticked box sends "true"; "false" and the empty text are what people write by hand. */
  error: z.enum(["true", "false", ""]).optional(),
  q: z.string().trim().max(200).optional(),
});

const place: z.ZodType<ListPlace> = z.object({ startUs: z.int(), traceId: z.string().length(32) });

/** Empty values, as a form sends them, are as good as absent; unknown parameters are ignored. */
export const listQuery = (
  parameters: Record<string, string>,
): Result<TraceFilter, Failure<"invalid_parameter">> => {
  const filled = Object.entries(parameters).filter(([, value]) => value !== "");
  const parsed = query.safeParse(Object.fromEntries(filled));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return err({
      code: "invalid_parameter",
      detail: `Reading the query at "${issue?.path.join(".")}": ${issue?.message}.`,
    });
  }
  const { limit, cursor, service, error, q } = parsed.data;
  const after = cursor === undefined ? ok(undefined) : decodeCursor(cursor, place);
  if (!after.ok) return after;
  return ok({ limit, after: after.value, service, errorsOnly: error === "true", text: q });
};
