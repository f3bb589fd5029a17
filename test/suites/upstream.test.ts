import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBundler } from "#cli/bundle-workers.ts";
import { appUpstream } from "#shared/http/upstream-app.ts";
import { urlUpstream } from "#shared/http/upstream-url.ts";
import { UPSTREAM_CLAIMS, upstreamTarget } from "./upstream.ts";

describe("Upstream: in-process app", () => {
  const upstream = appUpstream({ fetch: upstreamTarget });
  for (const { title, run } of UPSTREAM_CLAIMS) test(title, () => run(upstream));
});

describe("Upstream: URL", () => {
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer(async (incoming, outgoing) => {
      const hasBody = !["GET", "HEAD"].includes(incoming.method ?? "GET");
      const path = (incoming.url ?? "/").replace(/^\/under/, "");
      const request = new Request(`${origin}${path}`, {
        method: incoming.method,
        headers: incoming.headers as Record<string, string>,
        ...(hasBody && { body: Readable.toWeb(incoming), duplex: "half" }),
      } as RequestInit);
      try {
        const response = await upstreamTarget(request);
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        outgoing.end(new Uint8Array(await response.arrayBuffer()));
      } catch {
        outgoing.destroy();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const upstream = (baseUrl: string, timeoutMs = 10_000) => urlUpstream({ baseUrl, timeoutMs });

  for (const { title, run } of UPSTREAM_CLAIMS) test(title, () => run(upstream(origin)));

  test("paths stand under the path of its base URL", async () => {
    for (const baseUrl of [`${origin}/under`, `${origin}/under/`]) {
      const response = await upstream(baseUrl).fetch(new Request("http://any/a?b=1"));
      expect(await response.json()).toMatchObject({ path: "/a?b=1" });
    }
  });

  test("it rejects when the answer takes longer than its time", async () => {
    const waiting = upstream(origin, 1).fetch(new Request("http://any/never"));
    await expect(waiting).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("it rejects when nobody listens there", async () => {
    await expect(upstream("http://127.0.0.1:1").fetch(new Request("http://any/"))).rejects.toThrow();
  });
});

describe("Upstream: service binding", () => {
  let miniflare: Miniflare;

  beforeAll(async () => {
    const entry = fileURLToPath(new URL("./upstream-worker.ts", import.meta.url).href);
    const bundler = await createBundler({ upstream: entry });
    const { upstream: contents = "" } = await bundler.build();
    await bundler.close();
    const worker = (name: string) => ({
      name,
      modules: [{ type: "ESModule" as const, path: `${name}.mjs`, contents }],
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["nodejs_compat"],
    });
    const caller = { ...worker("caller"), serviceBindings: { TARGET: "target" } };
    miniflare = new Miniflare(convertV4MiniflareOptions({ workers: [caller, worker("target")] }));
    await miniflare.ready;
  });
  afterAll(() => miniflare.dispose());

  for (const [index, { title }] of UPSTREAM_CLAIMS.entries()) {
    test(title, async () => {
      const outcome = await miniflare.dispatchFetch(`http://caller/?${index}`);
      expect(await outcome.text()).toBe("");
    });
  }
});
