/** Answers an OTLP/HTTP export request with spans (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
import { LIMITS } from "#shared/limits.ts";
import { exportRefusal, readExportBody } from "./read-export-body.ts";
import { readExportRequest } from "./read-export-request.ts";
import type { TraceStoreMethods } from "./trace-store.ts";

/** 200, with what was refused as a partial success. */
export const takeSpans = async (
  request: Request,
  store: Pick<TraceStoreMethods, "add">,
): Promise<Response> => {
  const body = await readExportBody(request);
  if (!body.ok) return body.error;
  const read = readExportRequest(body.value);
  if (!read.ok) return exportRefusal(400, read.error);

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
