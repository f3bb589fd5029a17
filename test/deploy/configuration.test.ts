/** Holds that a worker that lacks its configuration says in `/readyz` what is missing, and answers all else as usual. */
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import { keepSignalListeners } from "#cli/signal-listeners.ts";
import { workerOptions } from "#cli/worker-options.ts";
import { ROOT, WORKERS } from "#cli/workers.ts";

const BARE = ["skerry-payments", "skerry-inventory"];

let miniflare: Miniflare;

const readiness = async (worker: string) => {
  const { fetch } = await miniflare.getWorker(worker);
  const answer = await fetch("http://localhost/readyz");
  return { status: answer.status, body: (await answer.json()) as { checks: object[] } };
};

beforeAll(async () => {
  const workers = WORKERS.filter(({ name }) => BARE.includes(name));
  const bundler = await createBundler(
    Object.fromEntries(workers.map(({ name, main }) => [name, join(ROOT, main)])),
  );
  const bundles = await bundler.build();
  await bundler.close();
  const bare = workers.map(({ localServices: _, ...worker }) => ({
    ...workerOptions(worker, { contents: bundles[worker.name] ?? "", vars: {} }),
    serviceBindings: { MONITOR: async () => new Response(null, { status: 200 }) },
  }));
  const removeNewListeners = keepSignalListeners();
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.NONE),
      workers: bare,
    }),
  );
  await miniflare.ready.finally(removeNewListeners);
});
afterAll(() => miniflare?.dispose());

test("payments without secrets names all of them", async () => {
  const { status, body } = await readiness("skerry-payments");
  expect(status).toBe(503);
  expect(body.checks).toContainEqual({
    name: "configuration",
    ready: false,
    detail: "NATS_URL and PAYMENT_PROVIDER_URL not set: expected as secrets of the worker",
  });
});

test("a service without NATS_URL names it, and tries no server of this machine instead", async () => {
  const { status, body } = await readiness("skerry-inventory");
  expect(status).toBe(503);
  const refused = (name: string, detail: string) =>
    expect(body.checks).toContainEqual({ name, ready: false, detail: expect.stringContaining(detail) });
  refused("configuration", "NATS_URL not set");
  refused("log", "not reachable");
});

test("a worker without configuration is alive, so that it can be asked", async () => {
  for (const worker of BARE) {
    const { fetch } = await miniflare.getWorker(worker);
    expect((await fetch("http://localhost/healthz")).status).toBe(200);
  }
});
