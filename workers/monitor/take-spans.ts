/** Answers an OTLP/HTTP export request (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
import { LIMITS } from "#shared/limits.ts";
import { readBoundedBody } from "./read-bounded-body.ts";
import { readExportRequest } from "./read-export-request.ts";
import type { TraceStoreMethods } from "./trace-store.ts";

const JSON_MEDIA_TYPE = /^application\/json\s*(;|$)/i;

/** 200, with what was refused as a partial success; errors carry a `google.rpc.Status`, as the protocol asks. */
export const takeSpans = async (
  request: Request,
  store: Pick<TraceStoreMethods, "add">,
): Promise<Response> => {
  const mediaType = request.headers.get("content-type") ?? "";
  if (!JSON_MEDIA_TYPE.test(mediaType))
    return refusal(415, `Reading the body: its Content-Type is "${mediaType}"; expected "application/json".`);
  const body = await readBoundedBody(request, LIMITS.exportBodyBytes);
  if (!body.ok) return refusal(body.error.status, body.error.message);
  const json = parseJson(body.value);
  if (json === undefined) return refusal(400, "Reading the body: it is not valid JSON.");
  const read = readExportRequest(json);
  if (!read.ok) return refusal(400, read.error);

  const { refused } = await store.add(read.value.spans);
  return Response.json(partialSuccess(read.value.rejected, refused));
};

const partialSuccess = (invalid: number, full: number) =>
  invalid + full === 0
    ? {}
    : {
        partialSuccess: {
          rejectedSpans: String(invalid + full),
          errorMessage: `${invalid} spans without valid ids and times, ${full} over the ${LIMITS.spansPerTrace} of one trace`,
        },
      };

const INVALID_ARGUMENT = 3;

const refusal = (status: number, message: string): Response =>
  Response.json({ code: INVALID_ARGUMENT, message }, { status });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
