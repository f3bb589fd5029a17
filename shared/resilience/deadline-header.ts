/** How long a caller is willing to wait, as its headers say it: `Skerry-Deadline` and gRPC's `grpc-timeout`. */

export const DEADLINE_HEADER = "skerry-deadline";
export const GRPC_TIMEOUT_HEADER = "grpc-timeout";

const MILLISECONDS = /^(?:0|[1-9]\d{0,8})$/;
/** "Timeout" of the gRPC over HTTP/2 protocol: at most eight digits and a unit, whose case matters. */
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Milliseconds that remain, the shorter where both headers tell; undefined where none does. What does not keep to its
 * form, such as a header that came twice, counts as absent: a wrong hint must not fail a request.
 */
export const deadlineHeaderMs = (headers: Pick<Headers, "get">): number | undefined => {
  const own = parseMilliseconds(headers.get(DEADLINE_HEADER));
  const grpc = parseGrpcTimeout(headers.get(GRPC_TIMEOUT_HEADER));
  if (own === undefined) return grpc;
  return grpc === undefined ? own : Math.min(own, grpc);
};

const parseMilliseconds = (text: string | null): number | undefined =>
  text !== null && MILLISECONDS.test(text) ? Number(text) : undefined;

const parseGrpcTimeout = (text: string | null): number | undefined => {
  const [, digits, unit] = (text !== null && GRPC_TIMEOUT.exec(text)) || [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(digits) * unitMs;
};
