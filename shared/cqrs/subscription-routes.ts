/** What every service with processes tells its operators of their subscriptions: how far each is; to pause and to replay. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Failure } from "../http/errors.ts";
import { jsonAnswer, jsonBody, problemAnswers } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { err, ok, type Result } from "../result.ts";
import type { Actors } from "../runtime/actor.ts";
import type { ProcessMethods, SubscriptionDetails } from "./process-actor.ts";

const subscriptionSchema = z
  .object({
    name: z.string(),
    source: z.string().meta({ description: "The service whose log it follows" }),
    floor: z
      .int()
      .meta({ description: "All up to here is handled, waits for another attempt, or is parked" }),
    newest: z
      .int()
      .optional()
      .meta({ description: "Position of the log's newest commit, when it can be told" }),
    lag: z.object({
      commits: z.int().optional(),
      seconds: z.number().meta({ description: "Since the oldest event neither handled nor parked" }),
    }),
    waiting: z.int().meta({ description: "Events that wait for another attempt, or behind one" }),
    parked: z.int(),
    following: z.boolean(),
    paused: z.string().optional().meta({ description: "Since when" }),
    failure: z.string().optional(),
  })
  .meta({ id: "Subscription" });

export type Subscription = z.infer<typeof subscriptionSchema>;

const nameParameter = z.object({ name: z.string().max(64) });

const replaySchema = z.strictObject({
  from: z.union([z.int().min(1), z.iso.datetime({ offset: true })]).meta({
    description: "The first position that is handled again, or the time since which it was written",
  }),
});

const listSubscriptions = createRoute({
  method: "get",
  path: "/subscriptions",
  summary: "The subscriptions of its processes: how far each one is, and why it does not go on",
  responses: {
    200: jsonAnswer(z.object({ items: z.array(subscriptionSchema) }), "All of them"),
    ...problemAnswers({}, "scope_missing", "unavailable"),
  },
});

const changeRoute = <Path extends string>(path: Path, summary: string) =>
  createRoute({
    method: "post",
    path,
    summary,
    request: { params: nameParameter },
    responses: {
      200: jsonAnswer(subscriptionSchema, "As it is now"),
      ...problemAnswers({}, "scope_missing", "not_found", "unavailable"),
    },
  });

const pauseSubscription = changeRoute(
  "/subscriptions/{name}/pauses",
  "Has it stand until it is resumed; what is being handled is finished",
);
const resumeSubscription = changeRoute("/subscriptions/{name}/resumes", "Has a paused one go on");

const replaySubscription = createRoute({
  method: "post",
  path: "/subscriptions/{name}/replays",
  summary: "Handles everything from a position or a time again, although it was",
  request: { params: nameParameter, body: jsonBody(replaySchema) },
  responses: {
    202: jsonAnswer(subscriptionSchema, "It begins there"),
    ...problemAnswers({}, "scope_missing", "invalid_body", "not_found", "unavailable"),
  },
});

export type SubscriptionMethods = Pick<ProcessMethods, "details" | "pause" | "resume" | "replayFrom">;

/** @param names of the service's processes, as `processors` knows them */
export const addSubscriptionRoutes = (
  app: ServiceApp,
  { processors, names }: { processors: Actors<SubscriptionMethods>; names: readonly string[] },
): void => {
  const find = (name: string): Result<SubscriptionMethods, Failure> =>
    names.includes(name)
      ? ok(processors.named(name))
      : err({
          code: "not_found",
          detail: `Looking for the subscription "${name}": expected one of ${names.join(", ")}.`,
        });

  app.openapi(listSubscriptions, async (c) => {
    const items = await Promise.all(names.map((name) => processors.named(name).details({})));
    return c.json({ items: items.map(shown) }, 200);
  });

  app.openapi(pauseSubscription, async (c) => {
    const found = find(c.req.valid("param").name);
    if (!found.ok) return c.var.problem(found.error);
    return c.json(shown(await found.value.pause({})), 200);
  });

  app.openapi(resumeSubscription, async (c) => {
    const found = find(c.req.valid("param").name);
    if (!found.ok) return c.var.problem(found.error);
    return c.json(shown(await found.value.resume({})), 200);
  });

  app.openapi(replaySubscription, async (c) => {
    const { from } = c.req.valid("json");
    const start = typeof from === "number" ? { position: from } : { time: Date.parse(from) };
    const found = find(c.req.valid("param").name);
    const replayed = found.ok ? await found.value.replayFrom(start) : found;
    return replayed.ok ? c.json(shown(replayed.value), 202) : c.var.problem(replayed.error);
  });
};

const shown = ({ process, behindCommits, behindSeconds, ...rest }: SubscriptionDetails): Subscription => ({
  name: process,
  ...rest,
  waiting: rest.waiting ?? 0,
  lag: { ...(behindCommits !== undefined && { commits: behindCommits }), seconds: behindSeconds },
});
