/** The history of a document over HTTP: what it was, what changed, and back again. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "#shared/http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { ok } from "#shared/result.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { callerOf } from "../tokens/caller.ts";
import type { DocumentMethods } from "./document-store.ts";
import { refused } from "./refused.ts";
import {
  diffSchema,
  documentParams,
  historyPageSchema,
  revisionParam,
  revisionSchema,
  rollbackSchema,
} from "./schemas.ts";

const params = z.strictObject(documentParams);

const getHistory = createRoute({
  method: "get",
  path: "/documents/{service}/{profile}/history",
  summary: "Who changed what, when and why, newest first, in pages",
  request: { params, query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(historyPageSchema, "Entries with what each changed; `Link` names the next page"),
    ...problemAnswers(CONTROL_PROBLEMS, "document_not_found", "invalid_parameter"),
  },
});

const getRevision = createRoute({
  method: "get",
  path: "/documents/{service}/{profile}/revisions/{revision}",
  summary: "A document as it was",
  request: { params: z.strictObject({ ...documentParams, revision: revisionParam }) },
  responses: {
    200: jsonAnswer(revisionSchema, "The revision"),
    ...problemAnswers(CONTROL_PROBLEMS, "revision_not_found", "invalid_parameter"),
  },
});

const getDiff = createRoute({
  method: "get",
  path: "/documents/{service}/{profile}/diff",
  summary: "What changed from one revision to another",
  request: { params, query: z.strictObject({ from: revisionParam, to: revisionParam }) },
  responses: {
    200: jsonAnswer(diffSchema, "The changes, by path"),
    ...problemAnswers(CONTROL_PROBLEMS, "revision_not_found", "invalid_parameter"),
  },
});

const postRollback = createRoute({
  method: "post",
  path: "/documents/{service}/{profile}/rollbacks",
  summary: "Puts the content of an earlier revision in force again, as a new revision",
  request: { params, body: jsonBody(rollbackSchema) },
  responses: {
    200: jsonAnswer(revisionSchema, "The new revision"),
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "invalid_parameter",
      "invalid_body",
      "document_not_found",
      "revision_not_found",
      "config_does_not_fit",
      "rollout_under_way",
      "limit_reached",
    ),
  },
});

const placeSchema = z.strictObject({ before: z.int().min(1) });

export const addHistoryRoutes = (app: ServiceApp, { actor }: { actor: () => DocumentMethods }): void => {
  app.openapi(getHistory, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? ok(undefined) : decodeCursor(cursor, placeSchema);
    if (!place.ok) return c.var.problem(place.error);
    const page = await actor().documentHistory({
      ...c.req.valid("param"),
      before: place.value?.before,
      limit,
    });
    if (!page.ok) return refused(c, page.error);
    const { items, more } = page.value;
    const last = items.at(-1);
    if (more && last) c.header("link", nextLink(c.req.url, encodeCursor({ before: last.revision })));
    return c.json(
      {
        items: items.map(({ changes, ...entry }) => ({
          ...entry,
          ...(changes && { changes: [...changes] }),
        })),
      },
      200,
    );
  });

  app.openapi(getRevision, async (c) => {
    const found = await actor().documentRevision(c.req.valid("param"));
    return found.ok ? c.json(found.value, 200) : refused(c, found.error);
  });

  app.openapi(getDiff, async (c) => {
    const found = await actor().documentDiff({ ...c.req.valid("param"), ...c.req.valid("query") });
    return found.ok ? c.json({ changes: [...found.value] }, 200) : refused(c, found.error);
  });

  app.openapi(postRollback, async (c) => {
    const { revision, reason } = c.req.valid("json");
    const author = callerOf(c).name;
    const done = await actor().rollBackDocument({ ...c.req.valid("param"), revision, reason, author });
    if (!done.ok) return refused(c, done.error);
    c.header("etag", `"${done.value.revision.revision}"`);
    return c.json(done.value.revision, 200);
  });
};
