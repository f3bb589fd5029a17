/** What every service with processes tells its operators: how far each one is, what is parked, and to try that again. */
import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import type { Actors } from "../runtime/actor.ts";
import type { ProcessMethods } from "./process-actor.ts";

const parkedSchema = z.object({
  id: z.string(),
  process: z.string(),
  source: z.string(),
  position: z.int(),
  aggregateId: z.string(),
  type: z.string(),
  reason: z.object({ code: z.string(), detail: z.string() }),
  attempts: z.int(),
  parkedAt: z.string(),
  traceparent: z.string().optional(),
});

const listParked = createRoute({
  method: "get",
  path: "/parked",
  summary: "Events that a process could not handle, with the reason",
  responses: {
    200: jsonAnswer(z.object({ items: z.array(parkedSchema) }), "At most 100 of each process, oldest first"),
  },
});

const replaySchema = z.strictObject({ process: z.string().max(64), id: z.string().max(512) });

const replayParked = createRoute({
  method: "post",
  path: "/parked/replays",
  summary: "Handles a parked event once more",
  request: { body: jsonBody(replaySchema) },
  responses: {
    200: jsonAnswer(z.object({ id: z.string() }), "It was handled and is parked no longer"),
    ...problemAnswers({}, "not_found", "unavailable"),
  },
});

/** @param processes their names; each is an Actor of `processors` */
export const addProcessRoutes = (
  app: ServiceApp,
  { processors, processes }: { processors: Actors<ProcessMethods>; processes: readonly string[] },
): void => {
  app.openapi(listParked, async (c) => {
    const lists = await Promise.all(processes.map((name) => processors.named(name).parked({})));
    return c.json({ items: lists.flat() }, 200);
  });

  app.openapi(replayParked, async (c) => {
    const { process, id } = c.req.valid("json");
    if (!processes.includes(process)) {
      return c.var.problem({
        code: "not_found",
        detail: `Replaying for the process "${process}": expected one of ${processes.join(", ")}.`,
      });
    }
    const replayed = await processors.named(process).replay({ id });
    return replayed.ok ? c.json(replayed.value, 200) : c.var.problem(replayed.error);
  });
};
