/** Answers an OTLP/HTTP export request with metrics (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
import type { MetricStoreMethods } from "./metric-store.ts";
import { exportRefusal, readExportBody } from "./read-export-body.ts";
import { readMetricsRequest } from "./read-metrics-request.ts";

/** 200, with what was refused as a partial success. */
export const takeMetrics = async (
  request: Request,
  store: Pick<MetricStoreMethods, "add">,
): Promise<Response> => {
  const body = await readExportBody(request);
  if (!body.ok) return body.error;
  const read = readMetricsRequest(body.value);
  if (!read.ok) return exportRefusal(400, read.error);

  const { points, rejected } = read.value;
  if (points.length > 0) await store.add(points);
  return Response.json(partialSuccess(rejected));
};

const partialSuccess = (rejected: number) =>
  rejected === 0
    ? {}
    : {
        partialSuccess: {
          rejectedDataPoints: String(rejected),
          errorMessage: `${rejected} data points that cannot be added up: expected gauges, and sums and histograms with explicit bounds of delta temporality`,
        },
      };
