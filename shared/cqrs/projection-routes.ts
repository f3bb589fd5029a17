/** What every event-sourced service tells its operators of its read models: how far they are, and to build them anew. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Failure } from "../http/errors.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { err, ok, type Result } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { ProjectionMethods } from "./projection-shards.ts";

const rebuildSchema = z
  .object({
    id: z.string(),
    version: z.int(),
    phase: z.enum(["preparing", "filling", "taking over", "cancelling", "done", "cancelled"]),
    keep: z.boolean().meta({ description: "Whether the old tables stay, as `<table>__old`" }),
    startedAt: z.string(),
    endedAt: z.string().optional(),
    position: z.int().meta({ description: "What the copy holds of the log" }),
    target: z.int().meta({ description: "The log's end, as it was last looked for" }),
    failure: z.string().optional(),
  })
  .meta({ id: "Rebuild" });

const projectionSchema = z
  .object({
    projection: z.string(),
    version: z.int(),
    shards: z.int(),
    position: z.int().optional(),
    behindCommits: z.int().optional(),
    behindSeconds: z.number(),
    failure: z.string().optional(),
    stoppedAt: z.object({ position: z.int(), eventId: z.string() }).optional(),
    parked: z.int().optional(),
    outdated: z.object({ version: z.int(), declared: z.int(), stands: z.boolean() }).optional(),
    rebuild: rebuildSchema.optional(),
  })
  .meta({ id: "Projection" });

const nameParameter = z.object({ name: z.string().max(64) });
const rebuildParameters = nameParameter.extend({ id: z.string().max(16) });

const listProjections = createRoute({
  method: "get",
  path: "/projections",
  summary: "The read models: how far each one is, and why it does not go on",
  responses: {
    200: jsonAnswer(z.object({ items: z.array(projectionSchema) }), "All of them"),
    ...problemAnswers({}, "unavailable"),
  },
});

const beginRebuild = createRoute({
  method: "post",
  path: "/projections/{name}/rebuilds",
  summary: "Builds a read model anew beside the standing one, which is read until then",
  request: { params: nameParameter, body: jsonBody(z.strictObject({ keep: z.boolean().default(false) })) },
  responses: {
    202: jsonAnswer(rebuildSchema, "It has begun, or was under way"),
    ...problemAnswers({}, "invalid_body", "not_found", "unavailable"),
  },
});

const showRebuild = createRoute({
  method: "get",
  path: "/projections/{name}/rebuilds/{id}",
  summary: "How far the last rebuild is",
  request: { params: rebuildParameters },
  responses: {
    200: jsonAnswer(rebuildSchema, "The rebuild"),
    ...problemAnswers({}, "not_found", "unavailable"),
  },
});

const cancelRebuild = createRoute({
  method: "delete",
  path: "/projections/{name}/rebuilds/{id}",
  summary: "Gives a rebuild up; the standing read model stays",
  request: { params: rebuildParameters },
  responses: {
    202: jsonAnswer(rebuildSchema, "Its tables go"),
    ...problemAnswers({}, "not_found", "conflict", "unavailable"),
  },
});

const dropOld = createRoute({
  method: "delete",
  path: "/projections/{name}/old",
  summary: "Drops the tables that a rebuild kept",
  request: { params: nameParameter },
  responses: {
    204: { description: "They are gone" },
    ...problemAnswers({}, "not_found", "conflict", "unavailable"),
  },
});

/** @param names of the service's projections, as `projectors` knows them */
export const addProjectionRoutes = (
  app: ServiceApp,
  { projectors, names }: { projectors: Actors<ProjectionMethods>; names: readonly string[] },
): void => {
  const find = (name: string): Result<ProjectionMethods, Failure> =>
    names.includes(name)
      ? ok(projectors.named(name))
      : err({
          code: "not_found",
          detail: `Looking for the projection "${name}": expected one of ${names.join(", ")}.`,
        });

  /** Only the last is known. */
  const findRebuild = async ({ name, id }: { name: string; id: string }) => {
    const found = find(name);
    if (!found.ok) return found;
    const { rebuild } = await found.value.details({});
    if (rebuild?.id === id) return ok({ projector: found.value, rebuild });
    const last = rebuild ? `the last is "${rebuild.id}"` : "there was none";
    return err({ code: "not_found", detail: `Looking for the rebuild "${id}" of "${name}": ${last}.` });
  };

  app.openapi(listProjections, async (c) => {
    const items = await Promise.all(names.map((name) => projectors.named(name).details({})));
    return c.json({ items }, 200);
  });

  app.openapi(beginRebuild, async (c) => {
    const found = find(c.req.valid("param").name);
    if (!found.ok) return c.var.problem(found.error);
    return c.json(await found.value.rebuild(c.req.valid("json")), 202);
  });

  app.openapi(showRebuild, async (c) => {
    const found = await findRebuild(c.req.valid("param"));
    return found.ok ? c.json(found.value.rebuild, 200) : c.var.problem(found.error);
  });

  app.openapi(cancelRebuild, async (c) => {
    const found = await findRebuild(c.req.valid("param"));
    if (!found.ok) return c.var.problem(found.error);
    const cancelled = await found.value.projector.cancelRebuild({});
    return cancelled.ok ? c.json(cancelled.value, 202) : c.var.problem(cancelled.error);
  });

  app.openapi(dropOld, async (c) => {
    const found = find(c.req.valid("param").name);
    if (!found.ok) return c.var.problem(found.error);
    const dropped = await found.value.dropOld({});
    return dropped.ok ? c.body(null, 204) : c.var.problem(dropped.error);
  });
};
