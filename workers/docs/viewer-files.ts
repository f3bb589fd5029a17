/** The viewer's own files as they are served: under an address that changes with their content, so that they are kept for ever. */
import { encodeBase64url } from "#shared/http/base64url.ts";
import { ifNoneMatchHolds } from "#shared/http/etag.ts";

export interface ViewerTexts {
  /** Swagger UI: defines `SwaggerUIBundle`. */
  readonly script: string;
  readonly style: string;
}

export interface ViewerFile {
  /** "/docs/files/BsZ…/viewer.js". */
  readonly path: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly text: string;
}

export interface ViewerFiles {
  readonly script: ViewerFile;
  readonly style: ViewerFile;
}

const DIGEST_BYTES = 12;

export const viewerFiles = async ({ script, style }: ViewerTexts): Promise<ViewerFiles> => ({
  script: await fileOf("viewer.js", "text/javascript; charset=utf-8", script),
  style: await fileOf("viewer.css", "text/css; charset=utf-8", style),
});

const fileOf = async (name: string, mediaType: string, text: string): Promise<ViewerFile> => {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const digest = encodeBase64url(bytes.subarray(0, DIGEST_BYTES));
  return { path: `/docs/files/${digest}/${name}`, digest, mediaType, text };
};

/**
 * The file for whoever asks for it. Who asks by another digest has the page of another deployment: it gets what there is, and
 * keeps it for no other time.
 */
export const viewerFileAnswer = (file: ViewerFile, digest: string, request: Request): Response => {
  const etag = `"${file.digest}"`;
  const headers = {
    etag,
    "cache-control": digest === file.digest ? "public, max-age=31536000, immutable" : "no-store",
    "content-type": file.mediaType,
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  };
  if (ifNoneMatchHolds(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(request.method === "HEAD" ? null : file.text, { headers });
};
