/** Documents over HTTP: each by its name, with its ETag, its history and what it makes together with others. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { ifNoneMatchHolds } from "#shared/http/etag.ts";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { LIMITS } from "#shared/limits.ts";
import { ok } from "#shared/result.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { callerOf } from "../tokens/caller.ts";
import { addBulkRoutes } from "./bulk-routes.ts";
import { NAME } from "./document.ts";
import type { DocumentMethods } from "./document-store.ts";
import { addHistoryRoutes } from "./history-routes.ts";
import { refused } from "./refused.ts";
import { addSchemaRoutes } from "./schema-routes.ts";
import { documentPageSchema, documentParams, documentSchema, putSchema, revisionSchema } from "./schemas.ts";

export interface DocumentRouteOptions {
  /** A stub per call: it belongs to the request. */
  readonly actor: () => DocumentMethods;
}

const params = z.strictObject(documentParams);

/** A revision is a strong validator: "3" in quotes. */
const etagOf = (revision: number): string => `"${revision}"`;

const ifMatchHeader = z
  .string()
  .regex(/^(?:\*|"[0-9]{1,15}")$/, 'expected "*" or one ETag of this document')
  .transform((value) => (value === "*" ? ("*" as const) : Number(value.slice(1, -1))))
  .optional()
  .meta({ type: "string", description: "The ETag of the revision that is changed", example: '"3"' });

const listDocuments = createRoute({
  method: "get",
  path: "/documents",
  summary: "All documents by service and profile, in pages",
  request: { query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(documentPageSchema, "Documents without their contents; `Link` names the next page"),
    ...problemAnswers(CONTROL_PROBLEMS, "invalid_parameter"),
  },
});

const getDocument = createRoute({
  method: "get",
  path: "/documents/{service}/{profile}",
  summary: "A document, secrets shown by their fingerprints, with its revision as ETag",
  request: { params },
  responses: {
    200: jsonAnswer(documentSchema, "The document"),
    304: { description: "The client's `If-None-Match` holds it already" },
    ...problemAnswers(CONTROL_PROBLEMS, "document_not_found", "invalid_parameter"),
  },
});

const putDocument = createRoute({
  method: "put",
  path: "/documents/{service}/{profile}",
  summary: "Creates or changes a document, at once or by a roll-out",
  request: {
    params,
    headers: z.object({
      "if-match": ifMatchHeader,
      "if-none-match": z.literal("*").optional().meta({ description: "Create only" }),
    }),
    body: jsonBody(putSchema),
  },
  responses: {
    200: jsonAnswer(revisionSchema, "The new revision, or the candidate that is rolled out"),
    201: jsonAnswer(revisionSchema, "The first revision of a document that did not stand"),
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "invalid_parameter",
      "invalid_body",
      "config_does_not_fit",
      "secret_not_known",
      "document_changed",
      "precondition_required",
      "rollout_under_way",
      "limit_reached",
    ),
  },
});

const deleteDocument = createRoute({
  method: "delete",
  path: "/documents/{service}/{profile}",
  summary: "Removes a document; its history stays",
  request: {
    params,
    headers: z.object({ "if-match": ifMatchHeader }),
    query: z.strictObject({
      reason: z
        .string()
        .max(LIMITS.configReasonCharacters)
        .default("")
        .meta({ description: "Why, for history" }),
    }),
  },
  responses: {
    204: { description: "It is removed" },
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "invalid_parameter",
      "document_not_found",
      "config_does_not_fit",
      "document_changed",
      "precondition_required",
      "rollout_under_way",
    ),
  },
});

/** Adds the routes of documents; they stand behind the middleware that knows the caller. */
export const addDocumentRoutes = (app: ServiceApp, options: DocumentRouteOptions): void => {
  addNamedRoutes(app, options);
  addHistoryRoutes(app, options);
  addBulkRoutes(app, options);
  addSchemaRoutes(app, options);
};

const addNamedRoutes = (app: ServiceApp, { actor }: DocumentRouteOptions): void => {
  app.openapi(listDocuments, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? ok(undefined) : decodeCursor(cursor, placeSchema);
    if (!place.ok) return c.var.problem(place.error);
    const page = await actor().listDocuments({ after: place.value, limit });
    if (!page.ok) return refused(c, page.error);
    const { items, more } = page.value;
    const last = items.at(-1);
    if (more && last) {
      const after = { service: last.service, profile: last.profile };
      c.header("link", nextLink(c.req.url, encodeCursor(after)));
    }
    return c.json({ items: [...items] }, 200);
  });

  app.openapi(getDocument, async (c) => {
    const found = await actor().readDocument(c.req.valid("param"));
    if (!found.ok) return refused(c, found.error);
    // A roll-out changes what is shown, not the revision that an If-Match names.
    const etag = etagOf(found.value.revision);
    const validators = { etag, "cache-control": "no-cache" };
    const isHeld = found.value.candidate === undefined;
    if (isHeld && ifNoneMatchHolds(c.req.header("if-none-match"), etag)) return c.body(null, 304, validators);
    return c.json(found.value, 200, validators);
  });

  app.openapi(putDocument, async (c) => {
    const name = c.req.valid("param");
    const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = c.req.valid("header");
    const { content, reason, rollout } = c.req.valid("json");
    const author = callerOf(c).name;
    const written = await actor().putDocument({
      ...name,
      content,
      reason,
      rollout,
      author,
      ifMatch,
      ifNoneMatch,
    });
    if (!written.ok) return refused(c, written.error);
    const { revision, created } = written.value;
    // A candidate is not what stands here.
    if (revision.kind !== "candidate") c.header("etag", etagOf(revision.revision));
    if (!created) return c.json(revision, 200);
    c.header("location", c.req.path);
    return c.json(revision, 201);
  });

  app.openapi(deleteDocument, async (c) => {
    const { reason } = c.req.valid("query");
    const { "if-match": ifMatch } = c.req.valid("header");
    const author = callerOf(c).name;
    const removed = await actor().removeDocument({ ...c.req.valid("param"), reason, author, ifMatch });
    return removed.ok ? c.body(null, 204) : refused(c, removed.error);
  });
};

const placeSchema = z.strictObject({ service: z.string().regex(NAME), profile: z.string().regex(NAME) });
