/** What every service with processes tells its operators of what is parked: to look at it, to try it again, to give it up. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { decodeCursor, encodeCursor, nextLink, pageParameters } from "../http/page.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { LIMITS } from "../limits.ts";
import { ok } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { ParkedEvent } from "./parking.ts";
import { replayParkedEvents } from "./parking-replays.ts";
import type { ProcessMethods } from "./process-actor.ts";

const parkedSchema = z.object({
  id: z.string(),
  process: z.string(),
  projection: z.string().optional(),
  source: z.string(),
  position: z.int(),
  aggregateId: z.string(),
  key: z.string().optional().meta({ description: "In whose order it stands" }),
  type: z.string(),
  reason: z.object({ code: z.string(), detail: z.string() }),
  attempts: z.int(),
  parkedAt: z.string(),
  traceparent: z.string().optional(),
});

const processSchema = z.string().max(64);
const idSchema = z.string().max(512);
const idParameter = z.object({
  id: idSchema.meta({
    description: "The event's id; a `/` in it may be written `~`, which gateways let through",
  }),
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
    ...problemAnswers({}, "scope_missing", "invalid_parameter", "unavailable"),
  },
});

const showParked = createRoute({
  method: "get",
  path: "/parked/{id}",
  summary: "A parked event, whole, with its trace",
  request: {
    params: idParameter,
    query: z.strictObject({ process: processSchema.optional() }),
  },
  responses: {
    200: jsonAnswer(
      parkedSchema.extend({
        key: z.string().meta({ description: "In whose order it stands" }),
        traceId: z.string().optional(),
        event: z.object({
          id: z.string(),
          type: z.string(),
          time: z.string(),
          version: z.int(),
          eventVersion: z.int().optional(),
          data: z.unknown(),
        }),
        metadata: z.record(z.string(), z.string().optional()),
      }),
      "The event",
    ),
    ...problemAnswers({}, "scope_missing", "not_found", "unavailable"),
  },
});

const dropParked = createRoute({
  method: "delete",
  path: "/parked/{id}",
  summary: "Gives a parked event up; it is never handled, and a span has the reason",
  request: {
    params: idParameter,
    query: z.strictObject({
      process: processSchema.optional(),
      reason: z.string().min(1).max(LIMITS.dropReasonCharacters),
    }),
  },
  responses: {
    200: jsonAnswer(z.object({ id: z.string() }), "It is gone"),
    ...problemAnswers({}, "scope_missing", "invalid_parameter", "not_found", "unavailable"),
  },
});

const replaySchema = z.strictObject({
  process: processSchema,
  id: idSchema.optional().meta({ description: "One event; all that are parked of the process when absent" }),
  type: z.string().max(128).optional().meta({ description: "Events of this type only" }),
  limit: z.int().min(1).max(LIMITS.parkedReplays).default(LIMITS.parkedReplays),
  after: z
    .strictObject({ position: z.int(), id: z.string() })
    .optional()
    .meta({ description: "Go on behind this one: `next` of the answer before" }),
});

const replayParked = createRoute({
  method: "post",
  path: "/parked/replays",
  summary: "Handles a parked event once more, or all that are parked of a process",
  request: { body: jsonBody(replaySchema) },
  responses: {
    200: jsonAnswer(
      z.union([
        z.object({ id: z.string() }),
        z.object({
          replayed: z.int(),
          failed: z.int(),
          failures: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })),
          next: z.object({ position: z.int(), id: z.string() }).optional(),
        }),
      ]),
      "The one was handled and is parked no longer; or how many were, why others were not, and where to go on",
    ),
    ...problemAnswers({}, "scope_missing", "not_found", "replay_failed", "unavailable"),
  },
});

/** What a process has, and a projection that parks. */
export type ParkingMethods = Pick<ProcessMethods, "parked" | "replay" | "parkedEvent" | "drop">;

export interface ParkedRoutes {
  readonly processors: Actors<ParkingMethods>;
  /** Names of all that park; each is an Actor of `processors`. */
  readonly processes: readonly string[];
  readonly clock?: Clock;
}

export const addProcessRoutes = (
  app: ServiceApp,
  { processors, processes, clock = systemClock }: ParkedRoutes,
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

  /** The processes in which an event may be parked: several may follow the same log. */
  const among = (process: string | undefined): readonly string[] =>
    process === undefined ? processes : processes.filter((name) => name === process);

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

  app.openapi(showParked, async (c) => {
    const { id } = c.req.valid("param");
    for (const name of among(c.req.valid("query").process)) {
      for (const written of spellings(id)) {
        const found = await processors.named(name).parkedEvent({ id: written });
        if (!found) continue;
        const traceId = found.traceparent?.split("-")[1];
        return c.json({ ...found, ...(traceId && { traceId }) }, 200);
      }
    }
    return c.var.problem(notParked("Looking for", id));
  });

  app.openapi(dropParked, async (c) => {
    const { id } = c.req.valid("param");
    const { process, reason } = c.req.valid("query");
    for (const name of among(process)) {
      for (const written of spellings(id)) {
        const dropped = await processors.named(name).drop({ id: written, reason });
        if (dropped.ok) return c.json(dropped.value, 200);
        if (dropped.error.code !== "not_found") return c.var.problem(dropped.error);
      }
    }
    return c.var.problem(notParked("Dropping", id));
  });

  app.openapi(replayParked, async (c) => {
    const { process, id, ...some } = c.req.valid("json");
    if (!processes.includes(process)) {
      return c.var.problem({
        code: "not_found",
        detail: `Replaying for the process "${process}": expected one of ${processes.join(", ")}.`,
      });
    }
    if (id === undefined)
      return c.json(await replayParkedEvents(processors.named(process), some, clock), 200);
    const replayed = await processors.named(process).replay({ id });
    return replayed.ok ? c.json(replayed.value, 200) : c.var.problem(replayed.error);
  });
};

/** What an id in a path may mean: an escaped slash in it would be refused on its way. */
const spellings = (id: string): readonly string[] =>
  id.includes("~") ? [id, id.replaceAll("~", "/")] : [id];

const notParked = (what: string, id: string) => ({
  code: "not_found" as const,
  detail: `${what} "${id}": nothing of this id is parked.`,
});
