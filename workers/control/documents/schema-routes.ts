/** The services' schemas, and the keys of secrets, over HTTP. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { callerOf } from "../tokens/caller.ts";
import type { DocumentMethods } from "./document-store.ts";
import { refused } from "./refused.ts";
import { declarationSchema, declaredSchema, rotatedSchema, schemaBody, serviceParams } from "./schemas.ts";

const getSchema = createRoute({
  method: "get",
  path: "/schemas/{service}",
  summary: "The schema that a service has declared for its configuration",
  request: { params: serviceParams },
  responses: {
    200: jsonAnswer(declaredSchema, "The schema"),
    ...problemAnswers(CONTROL_PROBLEMS, "schema_not_found", "invalid_parameter"),
  },
});

const putSchema = createRoute({
  method: "put",
  path: "/schemas/{service}",
  summary:
    "Declares the schema of a service's configuration; documents that do not fit it are named, not refused",
  request: { params: serviceParams, body: jsonBody(schemaBody) },
  responses: {
    200: jsonAnswer(declarationSchema, "The schema, and what does not fit it"),
    ...problemAnswers(
      CONTROL_PROBLEMS,
      "invalid_parameter",
      "invalid_body",
      "schema_not_valid",
      "limit_reached",
    ),
  },
});

const postRotation = createRoute({
  method: "post",
  path: "/secrets/rotations",
  summary:
    "Seals stored secrets anew by the first key, so many at once; ask again with `next` until there is none",
  request: {
    query: z.strictObject({
      after: z
        .string()
        .regex(/^[0-9]{1,15}$/, "expected `next` of the answer before")
        .transform(Number)
        .optional()
        .meta({ type: "integer", description: "`next` of the answer before" }),
    }),
  },
  responses: {
    200: jsonAnswer(rotatedSchema, "What was sealed anew"),
    ...problemAnswers(CONTROL_PROBLEMS, "invalid_parameter"),
  },
});

export const addSchemaRoutes = (app: ServiceApp, { actor }: { actor: () => DocumentMethods }): void => {
  app.openapi(getSchema, async (c) => {
    const found = await actor().readSchema(c.req.valid("param"));
    return found.ok ? c.json(found.value, 200) : refused(c, found.error);
  });

  app.openapi(putSchema, async (c) => {
    const { schema } = c.req.valid("json");
    const author = callerOf(c).name;
    const done = await actor().declareSchema({ ...c.req.valid("param"), schema, author });
    if (!done.ok) return refused(c, done.error);
    return c.json({ ...done.value.declared, faults: [...done.value.faults] }, 200);
  });

  app.openapi(postRotation, async (c) => {
    const done = await actor().rotateSecrets(c.req.valid("query"));
    if (!done.ok) return refused(c, done.error);
    return c.json({ ...done.value, failed: [...done.value.failed] }, 200);
  });
};
