/** What does not pass the gateway in the Workers runtime: whatever others might read as another request, or that is too large. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { type GatewayInWorkers, startGatewayInWorkers } from "./gateway-in-workers.ts";
import { answersIn, type HeardAnswer, head, rawConnection } from "./raw-exchange.ts";

const PATH = "/wire/v1/mirror";
/** Must never reach the service. */
const SMUGGLED = `GET ${PATH}?smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Says of its connection what a Worker cannot. */
const outside = createServer((_, response) => {
  const ownWord = {
    "X-Mine": "m",
    "Keep-Alive": "timeout=5",
    "Proxy-Connection": "keep-alive",
    "X-Kept": "k",
  };
  response.writeHead(200, { Connection: "keep-alive, X-Mine", ...ownWord }).end("outside");
});

let ground: GatewayInWorkers;

beforeAll(async () => {
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  ground = await startGatewayInWorkers({
    services: { wire: join(import.meta.dirname, "workers/wire-service.ts") },
    config: {
      routes: {
        outside: { match: { path: "/outside" }, to: { url } },
        limited: {
          match: { path: "/limited" },
          to: { url },
          policy: { rateLimit: { limit: 1, periodSeconds: 3_600 } },
        },
      },
    },
  });
});
afterAll(async () => {
  await ground?.close();
  outside.close();
});

/** What reached the service since this was asked last: method, path and query of each request. */
const arrived = async (): Promise<readonly string[]> =>
  (await (await fetch(`${ground.serviceUrl("wire")}/arrivals`)).json()) as string[];

beforeEach(async () => {
  await arrived();
});

/** All that is heard until the other side closes, or has answered a last request that is sent after all. */
const exchange = async (bytes: string): Promise<{ heard: string; answers: readonly HeardAnswer[] }> => {
  const connection = rawConnection(ground.url);
  connection.send(bytes + head("GET /healthz?last", "Connection: close"));
  const heard = await connection.closed();
  connection.destroy();
  return { heard, answers: answersIn(heard) };
};

/** To the service, as it came there; undefined when it did not. */
const told = async (...fields: readonly string[]): Promise<Record<string, string>> => {
  const { answers } = await exchange(head(`GET ${PATH}`, ...fields));
  return (JSON.parse(answers[0]?.body ?? "") as { headers: Record<string, string> }).headers;
};

describe("of one request never two reach the service", () => {
  const post = (...fields: readonly string[]) => head(`POST ${PATH}?only`, ...fields);

  test.each<[string, string, number]>([
    ["two lengths", `${post("Content-Length: 0", "Content-Length: 44")}${SMUGGLED}`, 400],
    ["a list of lengths", `${post("Content-Length: 0, 44")}${SMUGGLED}`, 400],
    ["a length with a sign", `${post("Content-Length: +44")}${SMUGGLED}`, 400],
    ["a length below zero", `${post("Content-Length: -1")}${SMUGGLED}`, 400],
    ["a hexadecimal length", `${post("Content-Length: 0x2c")}${SMUGGLED}`, 400],
    ["an unknown coding", `${post("Transfer-Encoding: xchunked")}${SMUGGLED}`, 400],
    [
      "identity beside a length",
      `${post("Transfer-Encoding: identity", "Content-Length: 0")}${SMUGGLED}`,
      400,
    ],
    [
      "two codings",
      `${post("Transfer-Encoding: chunked", "Transfer-Encoding: identity")}0\r\n\r\n${SMUGGLED}`,
      400,
    ],
    [
      "a blank before the colon",
      `${post("Transfer-Encoding : chunked", "Content-Length: 44")}${SMUGGLED}`,
      400,
    ],
    [
      "a folded line",
      `${post("X-A: a\r\n Transfer-Encoding: chunked", "Content-Length: 44")}${SMUGGLED}`,
      400,
    ],
    ["a carriage return by itself", `${post("X-A: a\rTransfer-Encoding: chunked")}${SMUGGLED}`, 400],
    ["a NUL in a field", `${post("X-A: a\0b")}${SMUGGLED}`, 400],
    ["a field without a name", `${post(": a")}${SMUGGLED}`, 400],
    ["a name with a blank", `${post("A B: a")}${SMUGGLED}`, 400],
    ["a first line that is folded", `POST ${PATH} HTTP/1.1\r\n Host: x\r\n\r\n${SMUGGLED}`, 400],
    ["another version", `POST ${PATH} HTTP/3.7\r\nHost: x\r\n\r\n${SMUGGLED}`, 400],
    ["a target with a blank", `POST ${PATH} x HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, 400],
    ["a target that is no UTF-8", `POST ${PATH}/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, 400],
  ])("%s is refused, and the connection ended", async (_, bytes, status) => {
    const { answers } = await exchange(bytes);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(await arrived()).toEqual([]);
  });

  test("beside a length a chunked coding alone counts, and the connection is ended after it", async () => {
    const { answers } = await exchange(
      `${post("Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\n${SMUGGLED}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(await arrived()).toEqual([`POST ${PATH}?only`]);
  });

  test.each([
    ["a size that is none", "0x3\r\nabc\r\n0\r\n\r\n"],
    ["a size larger than can be counted", "ffffffffffffffff1\r\nabc\r\n0\r\n\r\n"],
    ["more bytes than its size", "3\r\nabcdef\r\n0\r\n\r\n"],
    ["an extension that has a line of its own", '3;a="\n44"\r\nabc\r\n0\r\n\r\n'],
  ])("a chunk with %s ends the connection", async (_, chunks) => {
    const { answers } = await exchange(`${post("Transfer-Encoding: chunked")}${chunks}${SMUGGLED}`);
    expect(answers.map(({ status }) => status >= 400)).toEqual([true]);
    expect((await arrived()).filter((line) => line !== `POST ${PATH}?only`)).toEqual([]);
  });

  test("extensions of chunks are not passed on, and change nothing", async () => {
    const { answers } = await exchange(`${post("Transfer-Encoding: Chunked")}3;a=b\r\nabc\r\n0\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ body: "abc" });
    expect(await arrived()).toEqual([`POST ${PATH}?only`]);
  });

  test("a line that ends without a carriage return is a line, and the request is one", async () => {
    const { answers } = await exchange(`GET ${PATH}?only HTTP/1.1\nHost: x\n\n`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await arrived()).toEqual([`GET ${PATH}?only`]);
  });

  test("a body of a GET is a body, not the next request", async () => {
    const { answers } = await exchange(
      `${head(`GET ${PATH}?only`, `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await arrived()).toEqual([`GET ${PATH}?only`]);
  });

  test("requests one after the other on a connection are answered in their order", async () => {
    const numbers = [1, 2, 3, 4, 5];
    const { answers } = await exchange(numbers.map((number) => head(`GET ${PATH}?n=${number}`)).join(""));
    expect(answers).toHaveLength(6);
    for (const number of numbers) expect(answers[number - 1]?.body).toContain(`?n=${number}"`);
    expect(await arrived()).toEqual(numbers.map((number) => `GET ${PATH}?n=${number}`));
  });
});

describe("a service is not told", () => {
  test("what is meant for one connection, and what a client says is", async () => {
    const fields = [
      "Connection: x-secret, keep-alive",
      "X-Secret: s",
      "Keep-Alive: timeout=5",
      "TE: trailers",
      "Proxy-Authorization: p",
    ];
    const headers = await told(...fields, "X-Kept: k");
    expect(headers["x-kept"]).toBe("k");
    for (const name of ["connection", "x-secret", "keep-alive", "te", "proxy-authorization"]) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  test("what only workers may tell each other, however it is written", async () => {
    const headers = await told(
      "Skerry-Internal-Identity: forged",
      "SKERRY-INTERNAL-ROLE: admin",
      "skerry-internal-epoch: 99",
    );
    expect(JSON.stringify(headers)).not.toMatch(/forged|admin|99"/);
  });

  test("where a request comes from by fields that a client had taken away", async () => {
    const headers = await told(
      "Connection: cf-connecting-ip, x-forwarded-for, host",
      "CF-Connecting-IP: 192.0.2.1",
      "X-Forwarded-For: 192.0.2.1",
    );
    expect(headers["cf-connecting-ip"]).toBe("192.0.2.1");
    expect(headers["x-forwarded-for"]).toBe("192.0.2.1");
    expect(headers.host).toBe("gateway.example");
  });
});

test("without Cloudflare before it the gateway believes no address that a client says, and warns of it once", async () => {
  const from = async (address: string) => {
    const { answers } = await exchange(head("GET /limited", `CF-Connecting-IP: ${address}`));
    return answers[0]?.status;
  };
  expect([await from("192.0.2.1"), await from("198.51.100.1"), await from("203.0.113.1")]).toEqual([
    200, 429, 429,
  ]);
  expect(ground.logs.filter((line) => line.includes("clientAddress"))).toHaveLength(1);
});

describe("a client is not told", () => {
  test.each([
    [
      "a service of the platform",
      `${PATH.replace("mirror", "answer")}?header=connection:x-mine&header=x-mine:m&header=x-kept:k`,
    ],
    ["one at a URL", "/outside"],
  ])("RFC 9110 §7.6.1: what %s says of its connection to the gateway goes no further", async (_, path) => {
    const { answers } = await exchange(head(`GET ${path}`));
    const headers = answers[0]?.headers;
    expect(headers?.get("x-kept")).toBe("k");
    for (const name of ["x-mine", "keep-alive", "proxy-connection"]) expect(headers?.has(name)).toBe(false);
  });
});

describe("a host that is none", () => {
  test.each([
    ["two of them", "a.example\r\nHost: b.example"],
    ["one with a path", "a.example/b"],
    ["one with a query, which would hide the path", "a.example/control/v1/tokens?"],
    ["one with a fragment", "a.example#b"],
    ["one with a user", "user:secret@a.example"],
    ["one with a blank", "a b"],
    ["one with what no name has", "a<b>"],
    ["an address that is none", "999.1.1.1"],
    ["a port that is none", "a.example:99999"],
    ["an encoded slash", "a%2fb"],
    ["letters beyond ASCII", "\xc3\xbc.example"],
  ])("is refused, and nobody's breaker counts it: %s", async (_, host) => {
    for (let time = 0; time < 12; time++) {
      const { answers } = await exchange(`GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answers[0]?.status).toBe(400);
      expect(answers[0]?.body).toContain("/problems/malformed_request");
    }
    expect(await arrived()).toEqual([]);
    expect((await exchange(head(`GET ${PATH}`))).answers[0]?.status).toBe(200);
  });

  test.each(["a.example", "A.Example:8080", "[::1]:80", "127.0.0.1", "x"])("is not %s", async (host) => {
    expect((await exchange(`GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).answers[0]?.status).toBe(200);
  });

  test.each(["", "Host:\r\n"])("is %j, which the runtime itself refuses", async (field) => {
    expect((await exchange(`GET ${PATH} HTTP/1.1\r\n${field}\r\n`)).answers[0]?.status).toBe(400);
  });
});

describe("a target", () => {
  test("in absolute form is taken by its path, and the host that counts is the field's", async () => {
    const { answers } = await exchange(head(`GET http://other.example:99${PATH}?a=1`));
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ url: `http://gateway.example${PATH}?a=1` });
  });

  test("with several slashes is taken as with one", async () => {
    const { answers } = await exchange(head(`GET /${PATH.replaceAll("/", "//")}?a=//b`));
    expect(JSON.parse(answers[0]?.body ?? "")).toMatchObject({ url: `http://gateway.example${PATH}?a=//b` });
  });

  test.each<[string, number]>([
    ["OPTIONS *", 404],
    ["GET wire/v1/mirror", 400],
    ["GET /wire/v1/../../control/v1/tokens", 404],
    ["GET /wire/v1/%2e%2e/x", 404],
    ["CONNECT wire.example:443", 500],
    [`TRACE ${PATH}`, 405],
    [`BREW ${PATH}`, 501],
  ])("%s does not reach the service: %d", async (line, status) => {
    const { answers } = await exchange(head(line));
    expect(answers[0]?.status).toBe(status);
    expect(await arrived()).toEqual([]);
  });

  test("of HTTP/1.0 is answered, and the connection ended", async () => {
    const connection = rawConnection(ground.url);
    connection.send(`GET ${PATH} HTTP/1.0\r\nHost: x\r\n\r\n`);
    expect(answersIn(await connection.closed())[0]?.status).toBe(200);
  });
});

describe("a path", () => {
  test("with several slashes reaches the service with one, and the body with it", async () => {
    const { answers } = await exchange(`${head("POST //wire///v1/echo?only=//", "Content-Length: 5")}hello`);
    expect(answers[0]).toMatchObject({ status: 200, body: "hello" });
    expect(await arrived()).toEqual(["POST /wire/v1/echo?only=//"]);
  });

  test.each(["%2f", "%2F", "%5c", "%5C"])("with a slash as %s reaches nobody", async (slash) => {
    const { answers } = await exchange(head(`GET /wire/v1${slash}mirror`));
    expect(answers[0]?.status).toBe(400);
    expect(answers[0]?.body).toContain("/problems/invalid_parameter");
    expect(await arrived()).toEqual([]);
  });
});

describe("what is too large is refused with a problem, and reaches nobody", () => {
  const problemOf = async (bytes: string) => {
    const { answers } = await exchange(bytes);
    expect(answers[0]?.headers.get("content-type")).toBe("application/problem+json");
    expect(answers[0]?.headers.get("x-request-id")).toBeTruthy();
    expect(await arrived()).toEqual([]);
    return (JSON.parse(answers[0]?.body ?? "") as { type: string }).type;
  };
  const fields = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, index) => `x-${String(index).padStart(4, "0")}: ${"v".repeat(bytes)}`);

  test("an address", async () => {
    expect(await problemOf(head(`GET ${PATH}?${"q".repeat(LIMITS.urlCharacters)}`))).toBe(
      "/problems/uri_too_long",
    );
    const { length } = `http://gateway.example${PATH}?`;
    const { answers } = await exchange(head(`GET ${PATH}?${"q".repeat(LIMITS.urlCharacters - length)}`));
    expect(answers[0]?.status).toBe(200);
  });

  test("header fields by their number", async () => {
    expect(await problemOf(head(`GET ${PATH}`, ...fields(LIMITS.requestHeaderFields, 1)))).toBe(
      "/problems/headers_too_large",
    );
    const { answers } = await exchange(head(`GET ${PATH}`, ...fields(LIMITS.requestHeaderFields - 1, 1)));
    expect(answers[0]?.status).toBe(200);
  });

  test("header fields by their bytes, of one or of many of the same name", async () => {
    expect(await problemOf(head(`GET ${PATH}`, ...fields(1, LIMITS.requestHeaderBytes)))).toBe(
      "/problems/headers_too_large",
    );
    const cookies = Array.from({ length: 6_000 }, (_, index) => `cookie: c${index}=${index}`);
    expect(await problemOf(head(`GET ${PATH}`, ...cookies))).toBe("/problems/headers_too_large");
    const { answers } = await exchange(head(`GET ${PATH}`, ...fields(1, LIMITS.requestHeaderBytes - 100)));
    expect(answers[0]?.status).toBe(200);
  });

  test("a body that says how large it is", async () => {
    expect(
      await problemOf(
        head(`POST ${PATH}`, `Content-Length: ${LIMITS.requestBodyBytes + 1}`, "Expect: 100-continue"),
      ),
    ).toBe("/problems/body_too_large");
  });

  test("more than the runtime itself takes, which has no problem for it", async () => {
    const long = await exchange(head(`GET ${PATH}?${"q".repeat(130_000)}`));
    expect([414, undefined]).toContain(long.answers[0]?.status);
    // The runtime closes while more is coming, so that its answer may be lost.
    const { answers } = await exchange(head(`GET ${PATH}`, ...fields(20, 30_000)));
    expect([431, undefined]).toContain(answers[0]?.status);
    expect(await arrived()).toEqual([]);
  });
});
