/** A service that answers by its configuration and its flags, and breaks when its configuration says so. */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { sendSpansTo } from "#otel/send-spans-to.ts";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { bindingUpstream } from "#shared/http/upstream-binding.ts";
import { type ControlEnv, serviceControl } from "#workers/service-control.ts";

interface ServingEnv extends ControlEnv {
  readonly MONITOR: Fetcher;
}

const bindings = env as unknown as ServingEnv;
const schema = z.strictObject({ mark: z.int().default(0), broken: z.boolean().default(false) });

const makeServing = () => {
  const { link, config, flags } = serviceControl("serving", schema, bindings);
  const telemetry = startWorkerTelemetry({
    service: "serving",
    version: "1.0.0",
    epochs: { current: link.epoch, saw: link.saw },
    send: sendSpansTo({
      monitor: bindingUpstream(bindings.MONITOR),
      endpoint: undefined,
      headers: undefined,
    }),
  });
  const app = createServiceApp({
    name: "serving",
    major: 1,
    description: "Answers by its configuration.",
    problems: {},
    readiness: [],
    config,
  });
  app.get("/mark", (c) => {
    const key = c.req.query("key");
    const { mark, broken } = config.get(key === undefined ? {} : { key });
    if (broken) throw new Error("The configuration says that this answer fails");
    return c.json({ mark });
  });
  app.get("/flags/:flag", async (c) => {
    const targetingKey = c.req.query("key");
    const context = targetingKey === undefined ? {} : { targetingKey };
    return c.json({ on: await flags.getBooleanValue(c.req.param("flag"), false, context) });
  });
  return { link, telemetry, app };
};

let serving: ReturnType<typeof makeServing> | undefined;

export default {
  async fetch(request, _bindings, context) {
    serving ??= makeServing();
    const { link, telemetry, app } = serving;
    const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
    telemetry.flushSoon(waitUntil);
    if (!link.loaded()) await link.load(waitUntil);
    const answer = await app.fetch(request, bindings, context);
    link.lookSoon(waitUntil);
    return answer;
  },
} satisfies ExportedHandler;
