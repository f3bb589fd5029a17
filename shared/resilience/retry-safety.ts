/** Whether a request may reach a service twice. */
import { parseIdempotencyKey } from "../http/idempotency-key.ts";

/** RFC 9110 section 9.2.2. Method names are case-sensitive. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/**
 * Yes for an idempotent method, for a request with a valid `Idempotency-Key`, and for a method that the policy says is
 * safe with this service. Whether its body can be sent again is `ReplayableBody`'s matter.
 */
export const maySendAgain = (
  { method, headers }: Pick<Request, "method" | "headers">,
  safeMethods: readonly string[] = [],
): boolean => {
  if (IDEMPOTENT.has(method) || safeMethods.includes(method)) return true;
  const key = parseIdempotencyKey(headers.get("idempotency-key"));
  return key.ok && key.value !== undefined;
};
