/** Messages in the Workers runtime: requests share an Actor's connection, alarms keep it listening, a lost server comes back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import type { Readiness } from "#shared/http/readiness.ts";
import { startNats, type TestNats } from "../setup/nats.ts";

const entry = new URL("messaging-worker.ts", import.meta.url).pathname;

let nats: TestNats;
let runtime: { call(service: string, path: string): Promise<unknown>; dispose(): Promise<void> };

beforeAll(async () => {
  nats = await startNats();
  const { convertV4MiniflareOptions, Miniflare } = await import("miniflare");
  const bundler = await createBundler({ probe: entry });
  const { probe: contents = "" } = await bundler.build();
  await bundler.close();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: ["catalog", "orders"].map((name) => ({
        name,
        modules: [{ type: "ESModule" as const, path: "probe.mjs", contents }],
        serviceBindings: { OTHER: "catalog", MONITOR: () => Response.json({}) },
        bindings: { SERVICE: name, NATS_URL: nats.url },
        durableObjects: {
          MESSENGERS: { className: "TestMessenger", useSQLite: true },
          COMMANDS: { className: "TestCommander", useSQLite: true },
        },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
      })),
    }),
  );
  await miniflare.ready;
  runtime = {
    async call(service, path) {
      const url = new URL(`/${path}`, await miniflare.unsafeGetDirectURL(service));
      return (await fetch(url)).json();
    },
    dispose: () => miniflare.dispose(),
  };
});
afterAll(async () => {
  await runtime?.dispose();
  await nats?.dispose();
});

const isReady = async (): Promise<boolean> => {
  const all = await Promise.all(["catalog", "orders"].map((service) => runtime.call(service, "readyz")));
  const checks = (all as Readiness[]).flatMap((readiness) => readiness.checks);
  const ofMessages = checks.filter(({ name }) => name.startsWith("messages"));
  return ofMessages.length === 4 && ofMessages.every(({ ready }) => ready);
};
const listening = () => expect.poll(isReady, { timeout: 20_000 }).toBe(true);
const quoted = { ok: true, value: { sku: "tea", amount: 5 } };

test("a request that nobody listens for is unavailable", async () => {
  expect(await runtime.call("orders", "orders/v1/ask")).toMatchObject({
    ok: false,
    error: { code: "unavailable" },
  });
});

test("what a request by message answers is what the same over a service binding does", async () => {
  await listening();
  expect(await runtime.call("orders", "orders/v1/ask")).toEqual(
    await runtime.call("orders", "orders/v1/bound"),
  );
});

test("many requests at once are answered over the Actors' connections", async () => {
  await listening();
  const asked = Array.from({ length: 20 }, () => runtime.call("orders", "orders/v1/ask?times=5"));
  expect(await Promise.all(asked)).toEqual(asked.map(() => quoted));
});

test("a topic without a group is heard once by a service with several messengers", async () => {
  await listening();
  expect(await runtime.call("catalog", "catalog/v1/publish")).toEqual({ ok: true });
  await expect.poll(() => runtime.call("orders", "orders/v1/heard")).toEqual([{ sku: "tea", amount: 6 }]);
  expect(await runtime.call("orders", "orders/v1/ask")).toEqual(quoted);
  expect(await runtime.call("orders", "orders/v1/heard")).toHaveLength(1);
});

test("a server that is away makes requests unavailable, and once it is back they are answered", async () => {
  await listening();
  await nats.kill();
  const away = await runtime.call("orders", "orders/v1/ask");
  expect(away).toMatchObject({ ok: false, error: { code: "unavailable" } });
  await nats.start();
  await expect.poll(() => runtime.call("orders", "orders/v1/ask"), { timeout: 20_000 }).toEqual(quoted);
  await listening();
});
