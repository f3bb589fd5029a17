/** Bodies that do not say how large they are, cut off by the gateway in the Workers runtime. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policySchema } from "#workers/gateway/policy/policy-schema.ts";
import { type GatewayInWorkers, startGatewayInWorkers } from "./gateway-in-workers.ts";
import { answersIn, chunk, head, rawConnection } from "./raw-exchange.ts";

const BOUND = 1_000;

let ground: GatewayInWorkers;
beforeAll(async () => {
  ground = await startGatewayInWorkers({
    services: { wire: join(import.meta.dirname, "workers/wire-service.ts") },
    config: { services: { wire: { limits: { bodyBytes: BOUND } } } },
  });
});
afterAll(() => ground?.close());

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
