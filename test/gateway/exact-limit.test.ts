/** Exact limits by Durable Objects in the Workers runtime: of several workers, in parallel, and after a restart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";

const LIMIT = 10;

let contents = "";
let folder = "";
let miniflare: Miniflare;

/** `other` reaches the same objects from a worker, and so from an isolate, of its own. */
const launch = async (): Promise<void> => {
  const worker = {
    modules: [{ type: "ESModule" as const, path: "worker.mjs", contents }],
    compatibilityDate: "2026-10-01",
    compatibilityFlags: ["nodejs_compat"],
  };
  miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      resourcePersistencePath: folder,
      workers: [
        {
          ...worker,
          name: "one",
          durableObjects: { RATE_LIMITS: { className: "RateLimits", useSQLite: true } },
        },
        {
          ...worker,
          name: "other",
          durableObjects: {
            RATE_LIMITS: { className: "RateLimits", scriptName: "one", useSQLite: true },
          },
        },
      ],
    }),
  );
  await miniflare.ready;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skerry-exact-limit-"));
  const bundler = await createBundler({ worker: new URL("exact-limit-worker.ts", import.meta.url).pathname });
  contents = (await bundler.build()).worker ?? "";
  await bundler.close();
  await launch();
});

afterAll(async () => {
  await miniflare.dispose();
  await rm(folder, { recursive: true, force: true });
});

const send = async (request: number, caller: string): Promise<Response> => {
  const worker = await miniflare.getWorker(request % 4 < 2 ? "one" : "other");
  const answer = await worker.fetch(`http://gateway/?isolate=${request % 2}`, {
    headers: { "x-caller": caller },
  });
  return new Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
};

const admitted = async (requests: number, caller: string): Promise<number> => {
  const answers = await Promise.all(Array.from({ length: requests }, (_, request) => send(request, caller)));
  return answers.filter(({ status }) => status === 200).length;
};

test("callers at two workers in parallel are admitted exactly what the limit allows, each by itself", async () => {
  expect(await Promise.all([admitted(60, "ann"), admitted(60, "bob")])).toEqual([LIMIT, LIMIT]);
  const refused = await send(0, "ann");
  expect(refused.headers.get("ratelimit-policy")).toBe('"x-caller-3600s";q=10;w=3600');
  expect(refused.headers.get("ratelimit")).toMatch(/^"x-caller-3600s";r=0;t=3[56]\d$/);
});

test("a restart gives nobody anything back", async () => {
  expect(await admitted(20, "cleo")).toBe(LIMIT);
  await miniflare.dispose();
  await launch();
  expect(await admitted(20, "cleo")).toBe(0);
});
