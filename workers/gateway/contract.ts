/** What others may see of the gateway: the configuration that it goes by. */
import * as z from "zod";
import { LIMITS } from "#shared/limits.ts";

export const GATEWAY_CONFIG = z.object({
  /** For instances at a URL, from the request to the answer's headers; then the client gets a 502. */
  upstreamTimeoutMs: z.int().min(1).max(LIMITS.instanceAnswerMs).default(LIMITS.instanceAnswerMs),
});
