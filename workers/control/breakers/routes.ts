/** Breakers over HTTP: which instances isolates see fail, and since when the others are hinted at it. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer } from "#shared/http/route-parts.ts";
import { timestampSchema } from "#shared/http/schemas.ts";
import type { ServiceApp } from "#shared/http/service-app.ts";
import { rfc3339 } from "#shared/runtime/clock.ts";
import type { BreakerMethods } from "./answering-looks.ts";

const standingSchema = z
  .strictObject({
    service: z.string(),
    instance: z.string(),
    open: z.int().meta({ description: "Isolates whose breaker is open" }),
    failing: z.int().meta({ description: "Isolates that see it fail, those with an open breaker included" }),
    well: z.int().meta({ description: "Isolates that have called it lately and see it well" }),
    calls: z.int().meta({ description: "Calls in the windows of all of them" }),
    failures: z.int().meta({ description: "Those that failed or were slow" }),
    hintSince: timestampSchema
      .optional()
      .meta({ description: "Since when other isolates sample their calls; absent when they do not" }),
  })
  .meta({ id: "BreakerStanding" });

const listBreakers = createRoute({
  method: "get",
  path: "/breakers",
  summary: "Instances that isolates see fail, as they have said in the last seconds",
  responses: {
    200: jsonAnswer(z.strictObject({ items: z.array(standingSchema) }), "Instances by service and id"),
  },
});

export const addBreakerRoutes = (app: ServiceApp, breakers: BreakerMethods): void => {
  app.openapi(listBreakers, async (c) => {
    const standings = await breakers.listBreakers(undefined);
    const items = standings.map(({ hintSince, ...standing }) => ({
      ...standing,
      ...(hintSince !== undefined && { hintSince: rfc3339(hintSince) }),
    }));
    return c.json({ items }, 200);
  });
};
