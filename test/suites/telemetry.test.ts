/** Runs the telemetry suite in Node and inside workerd. */
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, Response as MiniflareResponse } from "miniflare";
import { expect, test } from "vitest";
import { startWorkerTelemetry } from "#otel/worker-telemetry.ts";
import { sleep } from "#shared/runtime/clock.ts";
import { type TelemetryHost, telemetrySuite } from "./telemetry.ts";
import { telemetryApp } from "./telemetry-app.ts";
import { telemetryReceiver } from "./telemetry-receiver.ts";

const startInNode = async (): Promise<TelemetryHost> => {
  const receiver = telemetryReceiver();
  const telemetry = startWorkerTelemetry({
    service: "node",
    version: "1.2.3",
    send: receiver.handle,
    sleep: (ms) => sleep(ms / 10),
    onDropped: () => {},
  });
  const waitUntil = () => {};
  const unreachable = { fetch: () => Promise.reject(new Error("the back calls nobody")) };
  const back = telemetryApp({ back: unreachable, waitUntil });
  const front = telemetryApp({ back: { fetch: async (request) => back.fetch(request) }, waitUntil });
  return {
    receiver,
    get: async (path, headers = {}) => {
      telemetry.flushSoon(waitUntil);
      return front.fetch(new Request(`http://front${path}`, { headers }));
    },
    stop: async () => {},
  };
};

const bundleWorker = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [new URL("telemetry-worker.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["node:*", "cloudflare:*"],
    alias: { async_hooks: "node:async_hooks", events: "node:events" },
  });
  return outputFiles[0]?.text ?? "";
};

const startInWorkerd = async (): Promise<TelemetryHost> => {
  const receiver = telemetryReceiver();
  const contents = await bundleWorker();
  const worker = (name: string, back?: string) => ({
    name,
    modules: [{ type: "ESModule" as const, path: "worker.mjs", contents }],
    bindings: { SERVICE: name },
    serviceBindings: {
      ...(back && { BACK: back }),
      MONITOR: async (request: { url: string; method: string; text(): Promise<string> }) =>
        new MiniflareResponse(
          await (
            await receiver.handle(
              new Request(request.url, { method: request.method, body: await request.text() }),
            )
          ).text(),
        ),
    },
    durableObjects: { RECORDER: { className: "Recorder", useSQLite: true } },
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [worker("front", "back"), worker("back")],
    }),
  );
  await miniflare.ready;
  return {
    receiver,
    get: async (path, headers = {}) =>
      (await miniflare.dispatchFetch(`http://front${path}`, { headers })) as unknown as Response,
    stop: () => miniflare.dispose(),
  };
};

telemetrySuite("Node", startInNode);
telemetrySuite("workerd", startInWorkerd);

test("spans of a Durable Object leave by its own waitUntil, under its worker's name", async () => {
  const host = await startInWorkerd();
  await host.get("/actor");
  const spans = await host.receiver.received((all) => all.some(({ name }) => name === "in the actor"));
  expect(spans.find(({ name }) => name === "in the actor")?.resource["service.name"]).toBe("front");
  await host.stop();
});
