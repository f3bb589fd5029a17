/** The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header) and what it is bound to. */
import { err, ok, type Result } from "../result.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Failure } from "./errors.ts";

const QUOTED = /^"((?:[!#-[\]-~]|\\["\\]){1,255})"$/;
const BARE = /^[!#-+\--:<-~]{1,255}$/;

/**
 * The key: 1..255 visible ASCII characters, as the draft's quoted string or bare, which mean the same key.
 * Undefined when the header is absent; `invalid_parameter` for anything else.
 */
export const parseIdempotencyKey = (
  header: string | null | undefined,
): Result<string | undefined, Failure<"invalid_parameter">> => {
  if (header === null || header === undefined) return ok(undefined);
  const text = header.trim();
  const quoted = QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  const key = quoted ?? (BARE.test(text) ? text : undefined);
  if (key !== undefined && key.length <= 255) return ok(key);
  return err({
    code: "invalid_parameter",
    detail: `Reading the Idempotency-Key ${JSON.stringify(text.slice(0, 64))}: expected one string of 1 to 255 visible ASCII characters.`,
  });
};

/** SHA-256 (hex) of the body's canonical JSON: equal for bodies that differ only in key order and spaces. */
export const requestFingerprint = async (body: unknown): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalJson(body)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};
