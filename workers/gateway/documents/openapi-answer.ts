/** `GET /openapi.json`: the merged document, `?service=…&major=…` for one service's part of it, `?list` for where each stands. */
import { etagResponse, ifNoneMatchHolds } from "#shared/http/etag.ts";
import { type Exchange, refusal } from "../exchange.ts";
import type { ListedDocument } from "./merged-document.ts";
import type { OpenApiDocuments } from "./openapi-documents.ts";

export type OpenApiQuestion = Pick<Exchange, "request" | "requestId" | "path">;

export const openApiAnswer = async (
  documents: OpenApiDocuments,
  question: OpenApiQuestion,
): Promise<Response> => {
  const { request } = question;
  const { origin, searchParams } = new URL(request.url);
  if (searchParams.has("list")) return etagResponse(request, { services: documents.listed() });
  const service = searchParams.get("service");
  const major = searchParams.get("major");
  const isNamed = ({ name, major: own }: ListedDocument): boolean =>
    (service === null || name === service) && (major === null || `${own}` === major);
  if ((service ?? major) !== null && !documents.listed().some(isNamed)) {
    const asked = JSON.stringify(`${service ?? "any service"}${major ? ` v${major}` : ""}`.slice(0, 100));
    const detail = `Looking for the document of ${asked}: expected a service and major version that are registered.`;
    return refusal(question, "not_found", detail);
  }
  const { text, etag } = await documents.merged(origin, isNamed);
  const headers = { etag, "cache-control": "no-cache" };
  if (ifNoneMatchHolds(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(text, { headers: { ...headers, "content-type": "application/json" } });
};
