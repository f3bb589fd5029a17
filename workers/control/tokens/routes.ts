/** Tokens over HTTP: made, listed, removed. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { timestampSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { LIMITS } from "#shared/limits.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { AUTOMATIC } from "../rollouts/rollouts.ts";
import { FIRST_ADMIN } from "./authorise.ts";
import { ROLES } from "./caller.ts";
import { newToken } from "./token.ts";
import type { TokenMethods } from "./token-store.ts";

const RESERVED: readonly string[] = [FIRST_ADMIN, AUTOMATIC];

const idSchema = z.string().regex(/^[A-Za-z0-9_-]{12}$/, "expected the id of a token, 12 characters");

const newTokenSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 @._-]{0,63}$/, "expected 1 to 64 of A-Z a-z 0-9 space @ . _ -")
      .refine((name) => !RESERVED.includes(name), "this name is taken by the control plane itself")
      .meta({ description: "The author in history", example: "deploy-pipeline" }),
    role: z.enum(ROLES),
    services: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "The only services that it may touch" }),
    ttlSeconds: z.int().min(1).max(LIMITS.tokenTtlSeconds),
  })
  .meta({ id: "NewToken" });

const tokenSchema = z
  .strictObject({
    id: idSchema,
    name: z.string(),
    role: z.enum(ROLES),
    services: z.array(z.string()).readonly().optional(),
    createdAt: timestampSchema,
    expiresAt: timestampSchema,
  })
  .meta({ id: "Token" });

const madeTokenSchema = tokenSchema
  .extend({ token: z.string().meta({ description: "Shown this once" }) })
  .meta({ id: "MadeToken" });

const makeToken = createRoute({
  method: "post",
  path: "/tokens",
  summary: "Makes a token; it is shown in this answer and never again",
  request: { body: jsonBody(newTokenSchema) },
  responses: {
    201: jsonAnswer(madeTokenSchema, "The token"),
    ...problemAnswers(CONTROL_PROBLEMS, "limit_reached", "role_too_small", "invalid_body"),
  },
});

const listTokens = createRoute({
  method: "get",
  path: "/tokens",
  summary: "All tokens, without what they are secret by; expired ones too, as long as there is room",
  responses: {
    200: jsonAnswer(z.strictObject({ items: z.array(tokenSchema) }), "Tokens by their time of making"),
    ...problemAnswers(CONTROL_PROBLEMS, "role_too_small"),
  },
});

const removeToken = createRoute({
  method: "delete",
  path: "/tokens/{id}",
  summary: "Removes a token; it is unknown from now on",
  request: { params: z.strictObject({ id: idSchema }) },
  responses: {
    204: { description: "It is removed" },
    ...problemAnswers(CONTROL_PROBLEMS, "token_not_found", "role_too_small"),
  },
});

export const addTokenRoutes = (app: ServiceApp, store: TokenMethods): void => {
  app.openapi(makeToken, async (c) => {
    const { services, ...wanted } = c.req.valid("json");
    const { token, ...kept } = await newToken();
    const made = await store.addToken({ ...wanted, ...(services && { services }), ...kept });
    if (!made.ok) return c.var.problem(made.error);
    c.header("cache-control", "no-store");
    return c.json({ ...made.value, token }, 201);
  });

  app.openapi(listTokens, async (c) => c.json({ items: await store.listTokens(undefined) }, 200));

  app.openapi(removeToken, async (c) => {
    const removed = await store.removeToken(c.req.valid("param"));
    return removed.ok ? c.body(null, 204) : c.var.problem(removed.error);
  });
};
