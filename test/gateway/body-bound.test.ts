/** Bodies that do not say how large they are, cut off by the gateway in the Workers runtime. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { policySchema } from "#workers/gateway/policy/policy-schema.ts";
import { type GatewayInWorkers, startGatewayInWorkers } from "./gateway-in-workers.ts";
import { answersIn, chunk, head, rawConnection } from "./raw-exchange.ts";

const BOUND = 1_000;

let ground: GatewayInWorkers;
beforeAll(async () => {
  ground = await startGatewayInWorkers({
    services: { wire: join(import.meta.dirname, "workers/wire-service.ts") },
    config: {
      services: { wire: { limits: { bodyBytes: BOUND } } },
      routes: {
        wide: {
          match: { path: "/wide/*" },
          to: { service: "wire", major: 1 },
          rewrite: "/wire/v1/*",
          policy: { limits: { bodyBytes: 1_000_000 } },
        },
      },
    },
  });
});
afterAll(() => ground?.close());

/** The last requests that reached the service, since this was asked last. */
const arrived = async (): Promise<readonly string[]> =>
  (await (await fetch(`${ground.serviceUrl("wire")}/arrivals`)).json()) as string[];

const CHUNKED = ["Transfer-Encoding: chunked", "Connection: close"];
const END = "0\r\n\r\n";

const send = async (bytes: string) => {
  const connection = rawConnection(ground.url);
  connection.send(bytes);
  const [answer] = answersIn(await connection.closed());
  return { status: answer?.status, type: (JSON.parse(answer?.body || "{}") as { type?: string }).type };
};

const read = async (id: string): Promise<number> =>
  ((await (await fetch(`${ground.serviceUrl("wire")}/seen?id=${id}`)).json()) as { bodyBytes: number })
    .bodyBytes;

describe.runIf("limits" in policySchema.shape)("a chunked body", () => {
  test("within the bound passes, also one that is kept to be sent again", async () => {
    const body = `${chunk("a".repeat(BOUND - 1))}${chunk("b")}${END}`;
    expect((await send(head("POST /wire/v1/read?id=within", ...CHUNKED) + body)).status).toBe(200);
    const key = 'Idempotency-Key: "within-the-bound"';
    expect((await send(head("POST /wire/v1/read", key, ...CHUNKED) + body)).status).toBe(200);
    expect(await read("within")).toBe(BOUND);
  });

  test("beyond the bound gets 413, of which the service reads no more than the bound", async () => {
    const body = `${chunk("a".repeat(BOUND))}${chunk("b")}${chunk("c".repeat(5_000))}${END}`;
    const answer = await send(head("POST /wire/v1/read?id=beyond", ...CHUNKED) + body);
    expect(answer).toEqual({ status: 413, type: "/problems/body_too_large" });
    expect(await read("beyond")).toBeLessThanOrEqual(BOUND);
  });

  test("that goes beyond the bound when the answer has begun ends the answer before its end", async () => {
    const connection = rawConnection(ground.url);
    connection.send(head("POST /wire/v1/echo", ...CHUNKED) + chunk("a".repeat(BOUND)));
    await connection.hear(/a{1000}/);
    connection.send(chunk("b") + END);
    const heard = await connection.closed();
    expect(heard).not.toContain("b\r\n");
    expect(heard.endsWith(END)).toBe(false);
  });

  test("on a GET must say its length", async () => {
    const answer = await send(head("GET /wire/v1/read", ...CHUNKED) + chunk("a") + END);
    expect(answer).toEqual({ status: 411, type: "/problems/length_required" });
  });

  test("that is too large, or no chunks at all, opens nobody's breaker however often it comes", async () => {
    for (let time = 0; time < 15; time++) {
      const large = await send(head("POST /wire/v1/read", ...CHUNKED) + chunk("a".repeat(BOUND + 1)) + END);
      expect(large.status).toBe(413);
      const broken = await send(`${head("POST /wire/v1/read", ...CHUNKED)}${chunk("a")}zz\r\n`);
      expect(broken).toEqual({ status: 400, type: "/problems/malformed_request" });
    }
    expect((await send(head("GET /wire/v1/mirror", "Connection: close"))).status).toBe(200);
  });
});

/** Enough for any breaker with the settings that a route has by default, and for an instance's ejection. */
const OFTEN = 100;

describe("a body that ends before its declared length", () => {
  const halfClosed = async (method: string, path: string, length: number, ...fields: readonly string[]) => {
    const connection = rawConnection(ground.url);
    connection.send(`${head(`${method} /wide/${path}`, ...fields, `Content-Length: ${length}`)}abc`);
    connection.end();
    const [answer] = answersIn(await connection.closed());
    return { status: answer?.status, type: (JSON.parse(answer?.body || "{}") as { type?: string }).type };
  };
  const BROKEN = { status: 400, type: "/problems/malformed_request" };

  test.each([
    ["a small POST", "POST", "read", 100],
    ["a larger POST, which streams", "POST", "read", 100_000],
    ["a larger POST whose service answers that it failed", "POST", "tell-broken", 100_000],
    ["a PUT, which is kept to be sent again", "PUT", "read", 50_000],
    ["a larger PUT", "PUT", "read", 100_000],
    ["a GET", "GET", "read", 100],
    ["a HEAD", "HEAD", "read", 100],
  ])(
    "is the client's fault however often it comes, and the instance is asked as before: %s",
    async (_, method, path, length) => {
      const expected = method === "HEAD" ? { status: 400 } : BROKEN;
      for (let time = 0; time < OFTEN; time++)
        expect(await halfClosed(method, path, length)).toMatchObject(expected);
      for (const well of ["GET", "POST"])
        expect((await fetch(`${ground.url}/wide/mirror`, { method: well })).status).toBe(200);
    },
  );

  test("is refused before an instance is asked, where the body would be kept", async () => {
    await arrived();
    expect(await halfClosed("PUT", "read", 50_000)).toEqual(BROKEN);
    expect(await halfClosed("POST", "read", 100, 'Idempotency-Key: "broken"')).toEqual(BROKEN);
    expect(await arrived()).toEqual([]);
  });
});

test("a body of a declared length reaches the service with that length, also one of a GET", async () => {
  const told = async (method: string, sent: string) => {
    const fields = [`Content-Length: ${sent.length}`, "Connection: close"];
    const connection = rawConnection(ground.url);
    connection.send(head(`${method} /wide/mirror`, ...fields) + sent);
    const [answer] = answersIn(await connection.closed());
    const { headers, body } = JSON.parse(answer?.body ?? "") as {
      headers: Record<string, string>;
      body: string;
    };
    return [headers["content-length"], body];
  };
  for (const sent of ["abc", "abc".repeat(50_000)])
    for (const method of ["POST", "PUT", "GET"])
      expect(await told(method, sent)).toEqual([`${sent.length}`, sent]);
});

test("a GET with more of a body than anybody has a use for is refused", async () => {
  const size = LIMITS.requestBodyBytes + 1;
  const large = head("GET /wide/read", `Content-Length: ${size}`, "Connection: close") + "a".repeat(size);
  expect(await send(large)).toEqual({ status: 413, type: "/problems/body_too_large" });
});

test.each([
  ["small", "POST", 100],
  ["kept to be sent again", "PUT", 50_000],
  ["streamed", "POST", 100_000],
  ["of a GET", "GET", 100],
])("a body that does not come in time gets 504: %s", async (_, method, length) => {
  const connection = rawConnection(ground.url);
  const fields = [`Content-Length: ${length}`, "Skerry-Deadline: 200"];
  connection.send(`${head(`${method} /wide/read`, ...fields)}abc`);
  const [answer] = answersIn(await connection.hear(/body[^}]*\}$/i));
  connection.destroy();
  expect(answer?.status).toBe(504);
  expect(JSON.parse(answer?.body ?? "")).toMatchObject({
    type: "/problems/deadline_exceeded",
    detail: expect.stringContaining("Reading the body"),
  });
});
