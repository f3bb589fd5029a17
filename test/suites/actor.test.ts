/** The Actor suite: Durable Objects inside Miniflare, and files inside this process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { createBundler } from "#cli/bundle-workers.ts";
import type { Actors } from "#shared/runtime/actor.ts";
import { inProcessActors } from "#shared/runtime/in-process-actor.ts";
import { injectTrace } from "#shared/telemetry/propagation.ts";
import { recordSpans } from "#shared/telemetry/record-spans.ts";
import { virtualTime } from "../fake/virtual-time.ts";
import { type ActorHost, testActor } from "./actor.ts";
import { type ProbeMethods, probeActor } from "./actor-probe.ts";

recordSpans();

const overHttp = (reach: () => Miniflare): Actors<ProbeMethods> => ({
  named: (name) =>
    new Proxy({} as ProbeMethods, {
      get: (_, method) => async (input: unknown) => {
        const query = new URLSearchParams({ name, method: String(method) });
        const response = await reach().dispatchFetch(`http://probes/?${query}`, {
          method: "POST",
          body: JSON.stringify(input),
          headers: injectTrace(),
        });
        const { output, error } = (await response.json()) as { output?: unknown; error?: string };
        if (error !== undefined) throw new Error(error);
        return output;
      },
    }),
});

const inMiniflare = async (): Promise<ActorHost> => {
  const folder = await mkdtemp(join(tmpdir(), "skerry-actors-"));
  const bundler = await createBundler({ probes: new URL("actor-worker.ts", import.meta.url).pathname });
  const { probes: contents = "" } = await bundler.build();
  await bundler.close();
  const launch = async () => {
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        resourcePersistencePath: folder,
        workers: [
          {
            name: "probes",
            modules: [{ type: "ESModule", path: "worker.mjs", contents }],
            durableObjects: { PROBES: { className: "Probe", useSQLite: true } },
            compatibilityDate: "2026-10-01",
            compatibilityFlags: ["nodejs_compat"],
          },
        ],
      }),
    );
    await miniflare.ready;
    return miniflare;
  };
  let miniflare = await launch();
  return {
    probes: overHttp(() => miniflare),
    during: (promise) => promise,
    async restart() {
      await miniflare.dispose();
      miniflare = await launch();
    },
    async stop() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const inProcess = async (): Promise<ActorHost> => {
  const folder = await mkdtemp(join(tmpdir(), "skerry-actors-"));
  const time = virtualTime();
  const timers = {
    set(run: () => void, ms: number) {
      const cleared = new AbortController();
      time.sleep(ms, cleared.signal).then(run, () => undefined);
      return cleared;
    },
    clear: (timer: unknown) => (timer as AbortController | undefined)?.abort(),
  };
  const launch = () =>
    inProcessActors({
      folder,
      create: (context) => probeActor(context, time.clock),
      clock: time.clock,
      timers,
    });
  let actors = launch();
  return {
    probes: { named: (name) => actors.named(name) },
    async during(promise) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      await time.until(() => settled);
      return promise;
    },
    async restart() {
      actors.close();
      actors = launch();
    },
    async stop() {
      actors.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

testActor("Durable Object", inMiniflare);
testActor("in process", inProcess);
