/** Names a request of a run, so that the same run started again repeats its requests instead of adding to them. */
import { createHash } from "node:crypto";

/** 32 hex digits: a hash, since a retail file's own text may be too long or too odd for a header. */
export const idempotencyKey = (...parts: (string | number)[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
