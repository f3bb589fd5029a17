import { expect, it } from "vitest";
import * as z from "zod";
import { createServiceApp } from "../http/service-app.ts";
import { eventSchemas } from "./event-schemas.ts";
import { addEventSchemasRoute } from "./event-schemas-route.ts";
import { event } from "./event-types.ts";

it("a service answers with the schemas of all versions of its events", async () => {
  const types = {
    OrderPlaced: event({ orderId: z.string() }).next(
      (v1) => ({ ...v1, note: z.string() }),
      (v1) => ({ ...v1, note: "" }),
    ),
  };
  const app = createServiceApp({ name: "orders", major: 1, description: "", problems: {}, readiness: [] });
  addEventSchemasRoute(app, "orders", types);
  for (const _ of ["made", "kept"]) {
    const answer = await app.request("/orders/v1/events");
    expect([answer.status, await answer.json()]).toEqual([200, { items: eventSchemas("orders", types) }]);
  }
});
