/** What every Upstream adapter must do, as claims that run wherever the adapter does: in Node or inside a worker. */
import assert from "node:assert/strict";
import type { Upstream } from "#shared/http/upstream.ts";

export interface UpstreamClaim {
  readonly title: string;
  /** Throws when the claim does not hold. */
  run(upstream: Upstream): Promise<void>;
}

const BASE = "http://upstream.example";

/** What stands behind the upstream in each set-up: tells what reached it, or does what the path says. */
export const upstreamTarget = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  switch (pathname) {
    case "/no-answer":
      throw new Error("no answer");
    case "/never":
      return new Promise<Response>((_, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason), { once: true });
      });
    case "/redirect":
      return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
    case "/status":
      return new Response(null, { status: Number(search.slice(1)), headers: { "x-own": "kept" } });
    case "/same":
      return new Response(request.body);
    default:
      return Response.json({
        method: request.method,
        path: pathname + search,
        headers: Object.fromEntries(request.headers),
      });
  }
};

interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const send = (upstream: Upstream, path: string, init: RequestInit = {}) =>
  upstream.fetch(new Request(BASE + path, { redirect: "manual", ...init }));

const echoOf = async (response: Response) => (await response.json()) as Echo;

export const UPSTREAM_CLAIMS: readonly UpstreamClaim[] = [
  {
    title: "method, path and query arrive as they were sent",
    async run(upstream) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        const echo = await echoOf(await send(upstream, "/a/b%20c%2Fd?q=%C3%A9&q=2", { method }));
        assert.equal(echo.method, method);
        assert.equal(echo.path, "/a/b%20c%2Fd?q=%C3%A9&q=2");
      }
    },
  },
  {
    title: "headers arrive as they were sent",
    async run(upstream) {
      const headers = { traceparent: "00-a-b-01", "idempotency-key": '"k"', "x-empty": "" };
      const echo = await echoOf(await send(upstream, "/", { headers }));
      for (const [name, value] of Object.entries(headers)) assert.equal(echo.headers[name], value);
    },
  },
  {
    title: "a body comes and goes byte for byte",
    async run(upstream) {
      const body = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256);
      const response = await send(upstream, "/same", { method: "POST", body });
      assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
    },
  },
  {
    title: "a streamed body arrives whole",
    async run(upstream) {
      const chunks = ["one ", "two ", "three"];
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = chunks.shift();
          if (chunk === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(chunk));
        },
      });
      const init = { method: "POST", body, duplex: "half" } as RequestInit;
      assert.equal(await (await send(upstream, "/same", init)).text(), "one two three");
    },
  },
  {
    title: "any status is an answer",
    async run(upstream) {
      for (const status of [200, 201, 204, 304, 400, 404, 409, 429, 500, 502, 503]) {
        const response = await send(upstream, `/status?${status}`);
        assert.equal(response.status, status);
        assert.equal(response.headers.get("x-own"), "kept");
      }
    },
  },
  {
    title: "a redirect is an answer and is not followed",
    async run(upstream) {
      const response = await send(upstream, "/redirect");
      assert.equal(response.status, 302);
      assert.equal(response.headers.get("location"), "/elsewhere");
    },
  },
  {
    title: "it rejects when no answer comes",
    async run(upstream) {
      await assert.rejects(send(upstream, "/no-answer"));
    },
  },
  {
    title: "it rejects when the request is aborted, before or while it waits",
    async run(upstream) {
      await assert.rejects(send(upstream, "/", { signal: AbortSignal.abort() }));
      const controller = new AbortController();
      const waiting = send(upstream, "/never", { signal: controller.signal });
      controller.abort();
      await assert.rejects(waiting);
    },
  },
  {
    title: "many requests at once each get their own answer",
    async run(upstream) {
      const paths = Array.from({ length: 50 }, (_, index) => `/${index}`);
      const echoes = await Promise.all(paths.map(async (path) => echoOf(await send(upstream, path))));
      assert.deepEqual(
        echoes.map(({ path }) => path),
        paths,
      );
    },
  },
];
