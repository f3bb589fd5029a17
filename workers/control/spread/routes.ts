/** Changes over HTTP, for isolates by the service binding and for processes by the gateway, and the status. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { readJsonBody } from "#shared/http/json-body.ts";
import { jsonAnswer, problemAnswers } from "#shared/http/route-parts.ts";
import { timestampSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";
import { CONTROL_PROBLEMS } from "../contract.ts";
import { rolloutSchema } from "../rollouts/routes.ts";
import { callerOf } from "../tokens/caller.ts";
import { untraced } from "../untraced.ts";
import type { AnswerLook } from "./changes.ts";
import { changesQuerySchema, lookSchema } from "./look-schema.ts";
import type { StatusMethods } from "./status.ts";

const changesSchema = z
  .looseObject({
    epoch: z.int(),
    changedAt: z.int(),
    services: z.array(z.looseObject({})),
    whole: z.boolean(),
  })
  .meta({ id: "Changes" });

const getChanges = createRoute({
  method: "get",
  path: "/changes",
  summary: "What changed since an epoch: a service's configuration, and the registry",
  request: { query: changesQuerySchema },
  responses: {
    200: jsonAnswer(changesSchema, "What is newer"),
    204: { description: "Nothing is newer" },
    ...problemAnswers(CONTROL_PROBLEMS, "invalid_parameter", "unavailable"),
  },
});

const faultsSchema = z.array(z.strictObject({ path: z.string(), message: z.string() })).readonly();

const statusSchema = z
  .strictObject({
    epoch: z.int(),
    changedAt: timestampSchema,
    snapshots: z.strictObject({ epoch: z.int(), lastError: z.string().optional() }),
    rejected: z.array(
      z.strictObject({
        service: z.string(),
        profile: z.string(),
        isolate: z.string(),
        epoch: z.int(),
        faults: faultsSchema,
        reportedAt: timestampSchema,
      }),
    ),
    unsealable: z.array(z.strictObject({ service: z.string(), profile: z.string(), detail: z.string() })),
    rollouts: z.array(rolloutSchema),
  })
  .meta({ id: "ControlStatus" });

const getStatus = createRoute({
  method: "get",
  path: "/status",
  summary: "The epoch, how far snapshots are, and which configurations were rejected",
  responses: { 200: jsonAnswer(statusSchema, "The status") },
});

export interface SpreadRoutesOptions {
  readonly answer: AnswerLook;
  readonly status: StatusMethods;
}

export const addSpreadRoutes = (app: ServiceApp, { answer, status }: SpreadRoutesOptions): void => {
  app.openapi(getChanges, async (c) => {
    const isolate = `token ${callerOf(c).name}`;
    const changes = await answer({ ...c.req.valid("query"), isolate, ofProcess: true });
    return changes ? c.json({ ...changes, services: [...changes.services] }, 200) : c.body(null, 204);
  });

  app.openapi(getStatus, async (c) => {
    const { changedAt, rejected, unsealable, rollouts, ...rest } = await status.status(undefined);
    const lists = { rejected: [...rejected], unsealable: [...unsealable], rollouts: [...rollouts] };
    return c.json({ ...rest, changedAt: rfc3339(changedAt), ...lists }, 200);
  });
};

/** Where isolates look: only service bindings reach it, because the gateway forwards no such path. */
export const LOOK_PATH = "/internal/changes";

/** Answers `POST /internal/changes`: 200 with changes, 204 without, 400 for what is no look. */
export const lookHandler =
  (answer: AnswerLook) =>
  async (request: Request): Promise<Response> => {
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
    const text = await readJsonBody(request);
    const look = lookSchema.safeParse(text.ok && text.value ? JSON.parse(text.value) : undefined);
    if (!look.success) {
      return Response.json({ errors: look.error.issues.map(({ message }) => message) }, { status: 400 });
    }
    const changes = await untraced(() => answer(look.data));
    return changes ? Response.json(changes) : new Response(null, { status: 204 });
  };
