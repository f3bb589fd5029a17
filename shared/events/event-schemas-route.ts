/** `GET /{service}/v{major}/events`: the schemas of a service's events, for readers of its log in any language. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonAnswer } from "../http/route-parts.ts";
import type { ServiceApp } from "../http/service-app.ts";
import { eventSchemas } from "./event-schemas.ts";
import type { EventTypes } from "./event-types.ts";

const listSchemas = createRoute({
  method: "get",
  path: "/events",
  summary: "The JSON Schemas of all events that the service's log holds, in all their versions",
  responses: {
    200: jsonAnswer(
      z.object({
        items: z.array(
          z.object({
            type: z.string().meta({ description: "CloudEvents `type`", example: "orders.OrderPlaced" }),
            version: z.int().meta({ description: "CloudEvents `eventversion`, of which absent means 1" }),
            schema: z.looseObject({}).meta({ description: "JSON Schema 2020-12 of CloudEvents `data`" }),
          }),
        ),
      }),
      "Type by type, oldest version first; a version never changes",
    ),
  },
});

export const addEventSchemasRoute = (app: ServiceApp, service: string, types: EventTypes): void => {
  let items: ReturnType<typeof eventSchemas> | undefined;
  app.openapi(listSchemas, (c) => {
    items ??= eventSchemas(service, types);
    return c.json({ items: items.map((item) => ({ ...item, schema: { ...item.schema } })) }, 200);
  });
};
