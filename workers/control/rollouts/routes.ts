/** Roll-outs over HTTP: shown, set by hand, withdrawn. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer, jsonBody, problemAnswers } from "#shared/http/route-parts.ts";
import { timestampSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { callerOf } from "../tokens/caller.ts";
import type { RolloutMethods } from "./rollouts.ts";

const percentageSchema = z.number().min(0).max(100).multipleOf(0.01);
const armSchema = z.strictObject({ answers: z.int(), failures: z.int() });

export const rolloutSchema = z
  .strictObject({
    service: z.string(),
    profile: z.string(),
    id: z.string(),
    by: z.enum(["isolate", "key"]),
    percentage: percentageSchema,
    since: timestampSchema,
    nextAt: timestampSchema.optional().meta({ description: "Absent when somebody must go on by hand" }),
    steps: z.array(z.strictObject({ percentage: percentageSchema, seconds: z.number() })).readonly(),
    errorRateRise: z.number(),
    candidate: armSchema,
    stable: armSchema,
  })
  .meta({ id: "Rollout" });

const nameSchema = z.string().min(1).max(64);
const params = z.strictObject({ service: nameSchema, profile: nameSchema });

const listRollouts = createRoute({
  method: "get",
  path: "/rollouts",
  summary: "All roll-outs under way",
  responses: { 200: jsonAnswer(z.strictObject({ items: z.array(rolloutSchema) }), "Roll-outs by document") },
});

const getRollout = createRoute({
  method: "get",
  path: "/rollouts/{service}/{profile}",
  summary: "The roll-out of a document, with what was counted so far",
  request: { params },
  responses: {
    200: jsonAnswer(rolloutSchema, "The roll-out"),
    ...problemAnswers(CONTROL_PROBLEMS, "rollout_not_found"),
  },
});

const setRollout = createRoute({
  method: "put",
  path: "/rollouts/{service}/{profile}",
  summary:
    "Sets the candidate's share; it stays there, without going on by itself. 100 makes it the document",
  request: {
    params,
    body: jsonBody(z.strictObject({ percentage: percentageSchema }).meta({ id: "RolloutShare" })),
  },
  responses: {
    200: jsonAnswer(rolloutSchema, "The roll-out"),
    204: { description: "The candidate is the document now" },
    ...problemAnswers(CONTROL_PROBLEMS, "rollout_not_found", "role_too_small", "invalid_body"),
  },
});

const withdrawRollout = createRoute({
  method: "delete",
  path: "/rollouts/{service}/{profile}",
  summary: "Withdraws the candidate; the document stays as it is",
  request: { params },
  responses: {
    204: { description: "It is withdrawn" },
    ...problemAnswers(CONTROL_PROBLEMS, "rollout_not_found", "role_too_small"),
  },
});

export const addRolloutRoutes = (app: ServiceApp, rollouts: RolloutMethods): void => {
  app.openapi(listRollouts, async (c) => c.json({ items: await rollouts.listRollouts(undefined) }, 200));

  app.openapi(getRollout, async (c) => {
    const found = await rollouts.findRollout(c.req.valid("param"));
    return found.ok ? c.json(found.value, 200) : c.var.problem(found.error);
  });

  app.openapi(setRollout, async (c) => {
    const { percentage } = c.req.valid("json");
    const author = callerOf(c).name;
    const set = await rollouts.setRollout({ ...c.req.valid("param"), percentage, author });
    if (!set.ok) return c.var.problem(set.error);
    return set.value ? c.json(set.value, 200) : c.body(null, 204);
  });

  app.openapi(withdrawRollout, async (c) => {
    const author = callerOf(c).name;
    const withdrawn = await rollouts.withdrawRollout({ ...c.req.valid("param"), author });
    return withdrawn.ok ? c.body(null, 204) : c.var.problem(withdrawn.error);
  });
};
