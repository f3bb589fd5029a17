/** Validators of JSON answers and the conditions that clients put on them (RFC 9110 sections 8.8 and 13). */
import { encodeBase64url } from "./base64url.ts";

const DIGEST_BYTES = 16;
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;

/** A strong ETag: the same body, byte for byte, has the same one. */
export const strongEtag = async (body: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return `"${encodeBase64url(new Uint8Array(digest, 0, DIGEST_BYTES))}"`;
};

/** Whether `If-None-Match` holds the tag of what stands (weak comparison): then a GET is answered 304. */
export const ifNoneMatchHolds = (header: string | null | undefined, etag: string): boolean =>
  header?.trim() === "*" || parseTags(header).some((tag) => opaque(tag) === opaque(etag));

/** Whether `If-Match` allows a change (strong comparison); `etag` is undefined when nothing stands there. */
export const ifMatchHolds = (header: string, etag: string | undefined): boolean =>
  etag !== undefined && (header.trim() === "*" || parseTags(header).includes(etag));

/** JSON with its ETag: 200, or 304 without a body when the client has it already. */
export const etagResponse = async (
  request: Request,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> => {
  const text = JSON.stringify(body);
  const etag = await strongEtag(text);
  const validators = { etag, "cache-control": "no-cache", ...headers };
  if (ifNoneMatchHolds(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers: validators });
  }
  return new Response(text, { headers: { "content-type": "application/json", ...validators } });
};

const opaque = (tag: string): string => tag.replace(/^W\//, "");

/** The tags of a list; whatever stands after the first malformed one is not looked at. */
const parseTags = (header: string | null | undefined): string[] => {
  const tags: string[] = [];
  let rest = (header ?? "").replace(/^[\s,]+/, "");
  for (;;) {
    const tag = ENTITY_TAG.exec(rest)?.[0];
    if (tag === undefined) return tags;
    tags.push(tag);
    const after = rest.slice(tag.length);
    if (!/^\s*(?:,|$)/.test(after)) return tags.slice(0, -1);
    rest = after.replace(/^[\s,]+/, "");
  }
};
