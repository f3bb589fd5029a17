/** A small traced service that the telemetry suite runs twice: one calls the other. */
import { Hono } from "hono";
import type { Upstream } from "#shared/http/upstream.ts";
import { sleep } from "#shared/runtime/clock.ts";
import { tracedServer } from "#shared/telemetry/http-server.ts";
import { injectTrace } from "#shared/telemetry/propagation.ts";
import { inSpan } from "#shared/telemetry/span.ts";
import { tracedUpstream } from "#shared/telemetry/upstream.ts";

export interface TelemetryAppOptions {
  readonly back: Upstream;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export const telemetryApp = ({ back, waitUntil }: TelemetryAppOptions): Hono => {
  const traced = tracedUpstream(back, { service: "back" });
  return new Hono()
    .onError((error, c) => c.text(error.message, 500))
    .use(tracedServer())
    .get("/call/:id", (c) => traced.fetch(new Request(`http://back/task/${c.req.param("id")}?key=secret`)))
    .get("/task/:id", (c) =>
      inSpan("work", { attributes: { "order.id": c.req.param("id") } }, async () => c.json(injectTrace())),
    )
    .get("/late", (c) => {
      waitUntil(inSpan("late", {}, () => sleep(50)));
      return c.json(injectTrace());
    })
    .get("/many", async (c) => {
      const count = Number(c.req.query("count"));
      for (let index = 0; index < count; index++) await inSpan("one of many", {}, async () => {});
      return c.json(injectTrace());
    })
    .get("/throw", () => {
      throw new TypeError("the fixture always throws");
    });
};
