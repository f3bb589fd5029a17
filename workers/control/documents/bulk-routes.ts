/** What concerns many documents, over HTTP: effective configurations, export and import. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { callerOf } from "../tokens/caller.ts";
import type { DocumentMethods } from "./document-store.ts";
import { exportedJson, exportedYaml, pagesFrom, streamed } from "./exported.ts";
import { refused } from "./refused.ts";
import { documentParams, effectiveSchema, exportSchema, importedSchema, importSchema } from "./schemas.ts";

const YAML = "application/yaml";

const getEffective = createRoute({
  method: "get",
  path: "/effective/{service}/{profile}",
  summary: "What a service gets under a profile, and which document each value is from",
  request: { params: z.strictObject(documentParams) },
  responses: {
    200: jsonAnswer(effectiveSchema, "The merged configuration; empty when no document says anything"),
    ...problemAnswers(CONTROL_PROBLEMS, "invalid_parameter"),
  },
});

const getExport = createRoute({
  method: "get",
  path: "/export",
  summary: "All documents that stand, as an import takes them; as YAML on `Accept: application/yaml`",
  responses: {
    200: {
      description: "The documents, secrets by their fingerprints",
      content: { "application/json": { schema: exportSchema }, [YAML]: { schema: z.string() } },
    },
    ...problemAnswers(CONTROL_PROBLEMS),
  },
});

const postImport = createRoute({
  method: "post",
  path: "/imports",
  summary: "Puts many documents at once, all or none; others stay as they are",
  request: {
    query: z.strictObject({
      dryRun: z.enum(["true", "false"]).default("false").meta({ description: "Only say what would change" }),
    }),
    body: jsonBody(importSchema),
  },
  responses: {
    200: jsonAnswer(importedSchema, "What was done with each document, or would be"),
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "invalid_parameter",
      "invalid_body",
      "config_does_not_fit",
      "secret_not_known",
      "rollout_under_way",
      "limit_reached",
    ),
  },
});

export const addBulkRoutes = (app: ServiceApp, { actor }: { actor: () => DocumentMethods }): void => {
  app.openapi(getEffective, async (c) => {
    const found = await actor().effectiveDocument(c.req.valid("param"));
    return found.ok ? c.json(found.value, 200) : refused(c, found.error);
  });

  app.openapi(getExport, async (c) => {
    const first = await actor().exportDocuments({});
    if (!first.ok) return refused(c, first.error);
    c.header("vary", "accept");
    const pages = pagesFrom(first.value, (after) => actor().exportDocuments({ after }));
    if (!c.req.header("accept")?.includes(YAML))
      return c.body(streamed(exportedJson(pages)), 200, { "content-type": "application/json" });
    return c.body(streamed(exportedYaml(pages)), 200, { "content-type": YAML });
  });

  app.openapi(postImport, async (c) => {
    const dryRun = c.req.valid("query").dryRun === "true";
    const done = await actor().importDocuments({ ...c.req.valid("json"), dryRun, author: callerOf(c).name });
    if (!done.ok) return refused(c, done.error);
    const documents = done.value.map((document) => ({ ...document, changes: [...document.changes] }));
    return c.json({ documents, dryRun }, 200);
  });
};
