/** What every service with processes tells its operators: how far each one is, what is parked, and to try that again. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "../http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { ok } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { ParkedEvent } from "./parking.ts";
import type { ProcessMethods } from "./process-actor.ts";

const parkedSchema = z.object({
  id: z.string(),
  process: z.string(),
  projection: z.string().optional(),
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
  request: { query: z.strictObject(pageParameters) },
  responses: {
    200: jsonAnswer(
      z.object({ items: z.array(parkedSchema) }),
      "Process by process, oldest first; the next page is in Link",
    ),
    ...problemAnswers({}, "invalid_parameter", "unavailable"),
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
    ...problemAnswers({}, "not_found", "replay_failed", "unavailable"),
  },
});

/** What a process has, and a projection that parks. */
export type ParkingMethods = Pick<ProcessMethods, "parked" | "replay">;

/** @param processes their names; each is an Actor of `processors` */
export const addProcessRoutes = (
  app: ServiceApp,
  { processors, processes }: { processors: Actors<ParkingMethods>; processes: readonly string[] },
): void => {
  const placeSchema = z.strictObject({ process: z.enum(processes), position: z.int(), id: z.string() });

  /** One after another, so that a page never asks for more than it shows. */
  const parkedAfter = async (place: z.infer<typeof placeSchema> | undefined, limit: number) => {
    const items: ParkedEvent[] = [];
    for (const name of place ? processes.slice(processes.indexOf(place.process)) : processes) {
      const after = name === place?.process ? { position: place.position, id: place.id } : undefined;
      items.push(...(await processors.named(name).parked({ after, limit: limit - items.length })));
      if (items.length === limit) break;
    }
    return items;
  };

  app.openapi(listParked, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const place = cursor === undefined ? ok(undefined) : decodeCursor(cursor, placeSchema);
    if (!place.ok) return c.var.problem(place.error);
    const found = await parkedAfter(place.value, limit + 1);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    if (last && found.length > limit) {
      const { process, position, id } = last;
      c.header("Link", nextLink(c.req.url, encodeCursor({ process, position, id })));
    }
    return c.json({ items }, 200);
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
