/** Reads the body of an OTLP/HTTP export request (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request). */
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import { readBoundedBody } from "./read-bounded-body.ts";

const JSON_MEDIA_TYPE = /^application\/json\s*(;|$)/i;

/** What the JSON holds, or the answer that refuses it: a `google.rpc.Status`, as the protocol asks. */
export const readExportBody = async (request: Request): Promise<Result<unknown, Response>> => {
  const mediaType = request.headers.get("content-type") ?? "";
  if (!JSON_MEDIA_TYPE.test(mediaType))
    return err(
      exportRefusal(
        415,
        `Reading the body: its Content-Type is "${mediaType}"; expected "application/json".`,
      ),
    );
  const body = await readBoundedBody(request, LIMITS.exportBodyBytes);
  if (!body.ok) return err(exportRefusal(body.error.status, body.error.message));
  const json = parseJson(body.value);
  return json === undefined ? err(exportRefusal(400, "Reading the body: it is not valid JSON.")) : ok(json);
};

const INVALID_ARGUMENT = 3;

export const exportRefusal = (status: number, message: string): Response =>
  Response.json({ code: INVALID_ARGUMENT, message }, { status });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
