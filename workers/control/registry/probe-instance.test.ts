import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Instance } from "#shared/registry/instance.ts";
import { probeInstance } from "./probe-instance.ts";

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

const serve = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const instance = (place: Pick<Instance, "url"> | Pick<Instance, "binding">): Instance => ({
  id: "a",
  version: "1.0.0",
  state: "up",
  weight: 100,
  metadata: {},
  ...place,
});
const overUrl = probeInstance({ bindings: {}, fetchUrl: (request) => fetch(request) });
const check = { path: "/healthz", timeoutMs: 2_000 };

describe("an instance at a URL", () => {
  test.each([
    { status: 200, body: '{"healthy":true}', headers: {}, result: { ok: true, degraded: false } },
    { status: 204, body: "", headers: {}, result: { ok: true, degraded: false } },
    { status: 200, body: '{"status":"degraded"}', headers: {}, result: { ok: true, degraded: true } },
    {
      status: 200,
      body: "fine",
      headers: { "skerry-health": "degraded" },
      result: { ok: true, degraded: true },
    },
    { status: 200, body: "null", headers: {}, result: { ok: true, degraded: false } },
    { status: 500, body: '{"status":"up"}', headers: {}, result: { ok: false } },
    { status: 404, body: "", headers: {}, result: { ok: false } },
  ])("that answers $status $body is $result", async ({ status, body, headers, result }) => {
    const url = await serve((_, response) => response.writeHead(status, headers).end(body));
    expect(await overUrl(instance({ url }), check)).toEqual(result);
  });

  test("is asked below its base path", async () => {
    const paths: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url);
      response.end();
    });
    await overUrl(instance({ url: `${url}/base` }), check);
    expect(paths).toEqual(["/base/healthz"]);
  });

  test("that sends elsewhere is not well, and nobody is asked there", async () => {
    let asked = 0;
    const elsewhere = await serve((_, response) => {
      asked += 1;
      response.end();
    });
    const url = await serve((_, response) => response.writeHead(302, { location: elsewhere }).end());
    expect(await overUrl(instance({ url }), check)).toEqual({ ok: false });
    expect(asked).toBe(0);
  });

  test("that is not there is not well", async () => {
    expect(await overUrl(instance({ url: "http://127.0.0.1:1" }), check)).toEqual({ ok: false });
  });

  test.each([
    ["no answer", () => undefined],
    [
      "an answer that does not end",
      (_: unknown, response: { write(text: string): void }) => response.write("{"),
    ],
  ])("that gives %s in time is not well", async (_, answer) => {
    const url = await serve(answer as RequestListener);
    expect(await overUrl(instance({ url }), { ...check, timeoutMs: 50 })).toEqual({ ok: false });
  });

  test("that answers without end is read to a bound only", async () => {
    const url = await serve((_, response) => {
      const more = () => {
        while (response.write("x".repeat(1_000)));
      };
      response.on("drain", more);
      more();
    });
    expect(await overUrl(instance({ url }), check)).toEqual({ ok: true, degraded: false });
  });
});

describe("an instance behind a binding", () => {
  const over = (fetch: (request: Request) => Promise<Response>) =>
    probeInstance({
      bindings: { ORDERS: { fetch } },
      fetchUrl: () => Promise.reject(new Error("not this way")),
    });

  test("is asked over it", async () => {
    const asked: string[] = [];
    const probe = over(async (request) => {
      asked.push(new URL(request.url).pathname);
      return new Response("{}");
    });
    expect(await probe(instance({ binding: "ORDERS" }), check)).toEqual({ ok: true, degraded: false });
    expect(asked).toEqual(["/healthz"]);
  });

  test.each(["PAYMENTS", "constructor"])("that is no binding, %s, is not well", async (binding) => {
    const probe = over(async () => new Response());
    expect(await probe(instance({ binding }), check)).toEqual({ ok: false });
  });

  test("that heeds no signal is not waited for", async () => {
    const probe = over(() => new Promise(() => {}));
    expect(await probe(instance({ binding: "ORDERS" }), { ...check, timeoutMs: 20 })).toEqual({ ok: false });
  });
});
