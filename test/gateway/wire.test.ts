/** What passes through the gateway in the Workers runtime, piece by piece and byte by byte. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { type GatewayInWorkers, startGatewayInWorkers } from "./gateway-in-workers.ts";
import { answersIn, chunk, head, type RawConnection, rawConnection } from "./raw-exchange.ts";

const KEY = "sk_wire_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

/** Every part that touches answers, or stands before the service. */
const EVERYTHING = {
  serverTiming: {},
  headers: { answer: { set: { "x-edited": "yes" } }, request: { set: { "x-told": "by-gateway" } } },
  securityHeaders: {},
  compression: { minimumBytes: 1 },
  cors: { origins: ["https://shop.example"] },
  authentication: {
    apiKeys: { keys: { wire: { hash: createHash("sha256").update(KEY).digest("hex") } } },
  },
  rateLimit: { limit: 100_000, periodSeconds: 1, by: "caller" },
  cache: {},
  hedge: {},
  fallback: { steps: [{ answer: { status: 200, body: "instead" } }] },
};

const CONFIG = {
  routes: {
    everything: {
      match: { path: "/everything/*" },
      to: { service: "wire", major: 1 },
      rewrite: "/wire/v1/*",
      policy: EVERYTHING,
    },
    bare: {
      match: { path: "/bare/*" },
      to: { service: "wire", major: 1 },
      rewrite: "/wire/v1/*",
      policy: { deadlineMs: false, retry: false, breaker: false, outliers: false, versions: false },
    },
  },
};

interface Seen {
  readonly requests: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
  readonly ticks: number;
  readonly ended: readonly string[];
}

let ground: GatewayInWorkers;
let made = 0;
const open: RawConnection[] = [];

const newId = (): string => `id-${made++}`;
const client = (url = ground.url): RawConnection => {
  const connection = rawConnection(url);
  open.push(connection);
  return connection;
};
/** Past the gateway. */
const seen = async (id: string): Promise<Seen> =>
  (await (await fetch(`${ground.serviceUrl("wire")}/seen?id=${id}`)).json()) as Seen;
const letOne = async (id: string): Promise<void> => {
  await (await fetch(`${ground.serviceUrl("wire")}/let?id=${id}`)).text();
};

/** Resolves with the number once it is more than 0 and does not change for a quarter of a second. */
const standsStill = async (read: () => Promise<number>): Promise<number> => {
  let before = -1;
  const look = async () => {
    const now = await read();
    const stands = now > 0 && now === before;
    before = now;
    expect(stands).toBe(true);
  };
  await vi.waitFor(look, { timeout: 8_000, interval: 250 });
  return before;
};

beforeAll(async () => {
  ground = await startGatewayInWorkers({
    services: { wire: join(import.meta.dirname, "workers/wire-service.ts") },
    config: CONFIG,
  });
});
afterAll(async () => {
  for (const connection of open) connection.destroy();
  await ground?.close();
});

/** Without this flag the runtime tells the gateway of nobody who leaves, and work that goes on after answers keeps the rest alive. */
const isToldWhoLeaves = readFileSync(join(ROOT, "wrangler.toml"), "utf8").includes("enable_request_signal");

/** A route with nothing on, one with the defaults, one with every part. */
const ROUTES = ["/bare", "/wire/v1", "/everything"];

describe.each(ROUTES)("on the route %s", (route) => {
  const auth = `X-Api-Key: ${KEY}`;

  test("a piece of a request reaches the service before the next one is sent, and is answered before that", async () => {
    const connection = client();
    connection.send(
      head(`POST ${route}/echo`, auth, "Content-Type: image/png", "Transfer-Encoding: chunked"),
    );
    for (const piece of ["one", "two", "three"]) {
      connection.send(chunk(piece));
      await connection.hear(new RegExp(`${piece}\r\n$`));
    }
    connection.send("0\r\n\r\n");
    const [answer] = answersIn(await connection.hear(/0\r\n\r\n$/));
    expect(answer?.body).toBe("onetwothree");
  });

  test("each event of a stream reaches the client before the next one is made, as it is", async () => {
    const id = newId();
    const connection = client();
    const accepts = [
      "Accept: text/event-stream",
      "Accept-Encoding: gzip, br",
      "Origin: https://shop.example",
    ];
    connection.send(head(`GET ${route}/events?id=${id}`, auth, ...accepts));
    for (const number of [1, 2, 3]) {
      await letOne(id);
      await connection.hear(new RegExp(`data: x{20} ${number}\n\n`));
      expect(connection.heard()).not.toContain(` ${number + 1}\n\n`);
    }
    const [answer] = answersIn(connection.heard());
    expect(answer?.headers.get("content-type")).toBe("text/event-stream");
    expect(answer?.headers.has("content-encoding")).toBe(false);
    expect(answer?.headers.has("content-length")).toBe(false);
  });

  test("a client that leaves a stream ends the service's work on it", async () => {
    const id = newId();
    const connection = client();
    connection.send(head(`GET ${route}/events?id=${id}`, auth));
    await letOne(id);
    await connection.hear(/ 1\n\n/);
    connection.destroy();
    await letOne(id);
    await vi.waitFor(async () => expect((await seen(id)).ended.length).toBeGreaterThan(0), 5_000);
  });

  test.runIf(isToldWhoLeaves)(
    "a client that leaves before there is an answer ends the service's work on it",
    async () => {
      const id = newId();
      const connection = client();
      connection.send(head(`POST ${route}/silent?id=${id}`, auth, "Content-Length: 0"));
      await vi.waitFor(async () => expect((await seen(id)).ticks).toBeGreaterThan(5), 5_000);
      connection.reset();
      await standsStill(async () => (await seen(id)).ticks);
    },
  );

  test("a client that takes nothing keeps the service from making more than fits on the way", async () => {
    const id = newId();
    const connection = client();
    connection.pause();
    connection.send(head(`GET ${route}/endless?id=${id}`, auth));
    const before = await standsStill(async () => (await seen(id)).bodyBytes);
    expect(before).toBeLessThan(32 * 1024 * 1024);
    connection.resume();
    await vi.waitFor(async () => expect((await seen(id)).bodyBytes).toBeGreaterThan(before), 5_000);
    connection.destroy();
  });

  test("a WebSocket goes through: its protocol, texts, bytes, and the way it is closed", async () => {
    const id = newId();
    const socket = await webSocket(`${route}/socket?id=${id}`, {
      "x-api-key": KEY,
      "sec-websocket-protocol": "chat, other",
    });
    expect(socket.head.headers.get("sec-websocket-protocol")).toBe("chat");
    expect(socket.head.headers.get("x-own")).toBe("socket");
    expect(await socket.echo("hello")).toBe("hello");
    expect(await socket.echo("x".repeat(70_000))).toBe("x".repeat(70_000));
    socket.close(4002, "done");
    expect(await socket.closedWith()).toEqual([4002, "done"]);
    await vi.waitFor(async () => expect((await seen(id)).ended).toEqual(["close 4002 done"]), 5_000);
    expect((await seen(id)).requests).toBe(1);
  });

  test("a WebSocket's answer does not tell what services tell the gateway alone", async () => {
    const socket = await webSocket(`${route}/socket?session=c2VjcmV0`, {
      "x-api-key": KEY,
      "sec-websocket-protocol": "chat",
    });
    expect(socket.head.headers.get("sec-websocket-protocol")).toBe("chat");
    expect(socket.head.headers.get("x-own")).toBe("socket");
    expect([...socket.head.headers.keys()].filter((name) => name.startsWith("skerry-internal-"))).toEqual([]);
    expect(await socket.echo("hello")).toBe("hello");
    socket.close(4002, "done");
    expect(await socket.closedWith()).toEqual([4002, "done"]);
  });

  test("a WebSocket is closed by the service with the service's own code", async () => {
    const socket = await webSocket(`${route}/socket`, { "x-api-key": KEY });
    socket.say("close me");
    expect(await socket.closedWith()).toEqual([4001, "as you wish"]);
  });

  test("gRPC-Web passes byte for byte, both ways", async () => {
    const message = "\x00\x00\x00\x00\x05\x0a\x03\xff\x00\x80\x80\x00\x00\x00\x0fgrpc-status:0\r\n";
    for (const [type, body] of [
      ["application/grpc-web+proto", message],
      ["application/grpc-web-text", btoa(message)],
    ] as const) {
      const connection = client();
      const fields = [
        auth,
        `Content-Type: ${type}`,
        "X-Grpc-Web: 1",
        "Accept-Encoding: gzip",
        "grpc-timeout: 5S",
      ];
      connection.send(
        head(`POST ${route}/echo`, ...fields, `Content-Length: ${body.length}`, "Connection: close") + body,
      );
      const [answer] = answersIn(await connection.closed());
      expect(answer?.headers.get("content-type")).toBe(type);
      expect(answer?.headers.has("content-encoding")).toBe(false);
      expect(answer?.body).toBe(body);
    }
  });

  test.each([
    ["HEAD", 200, "header=content-length:12345&header=content-type:image/png"],
    ["GET", 204, "header=x-a:b"],
    ["GET", 304, "header=etag:%22a%22"],
    ["GET", 206, "header=content-range:bytes%200-2/10&header=content-type:image/png&body=YWJj"],
    ["GET", 404, "body=YWJj&header=content-type:text/plain"],
    ["GET", 500, "body=YWJj&header=content-type:image/png&header=x-request-id:own"],
  ])("%s %d of a service passes as it is (%s)", async (method, status, query) => {
    const ask = async (url: string, fields: readonly string[]) => {
      const connection = client(url);
      connection.send(
        head(
          `${method} ${url === ground.url ? route : ""}/answer?status=${status}&${query}`,
          "Connection: close",
          ...fields,
        ),
      );
      return connection.closed();
    };
    const [direct] = answersIn(await ask(ground.serviceUrl("wire"), []));
    const [through] = answersIn(await ask(ground.url, [auth, "Range: bytes=0-2", 'If-None-Match: "a"']));
    if (route === "/everything" && status === 500) {
      expect(through?.body).toBe("instead");
      return;
    }
    expect(through?.status).toBe(status);
    expect(through?.body).toBe(direct?.body);
    for (const [name, value] of direct?.headers ?? [])
      expect([name, through?.headers.get(name)]).toEqual([name, value]);
  });

  test("an answer that a service has compressed passes as it is, and is compressed once", async () => {
    const text = "compress me ".repeat(200);
    const encoded = gzipSync(text).toString("base64");
    const query = `raw=1&header=content-type:text/plain&header=content-encoding:gzip&body=${encodeURIComponent(encoded)}`;
    const connection = client();
    connection.send(
      head(`GET ${route}/answer?${query}`, auth, "Accept-Encoding: gzip, br", "Connection: close"),
    );
    const [answer] = answersIn(await connection.closed());
    expect(answer?.headers.get("content-encoding")).toBe("gzip");
    expect(Buffer.from(answer?.body ?? "", "latin1").equals(Buffer.from(encoded, "base64"))).toBe(true);
  });
});

test("a route that compresses does so where a service has not", async () => {
  const body = btoa("compress me ".repeat(200));
  const connection = client();
  const query = `header=content-type:text/plain&body=${encodeURIComponent(body)}`;
  connection.send(
    head(`GET /everything/answer?${query}`, `X-Api-Key: ${KEY}`, "Accept-Encoding: br", "Connection: close"),
  );
  const [answer] = answersIn(await connection.closed());
  expect(answer?.headers.get("content-encoding")).toBe("br");
  expect(brotliDecompressSync(Buffer.from(answer?.body ?? "", "latin1")).toString("base64")).toBe(
    Buffer.from(body, "base64").toString("base64"),
  );
});

test("trailers of a request are not passed on, and those of an answer there are none", async () => {
  const id = newId();
  const connection = client();
  const fields = ["Transfer-Encoding: chunked", "Trailer: X-Late", "TE: trailers", "Connection: close"];
  connection.send(
    `${head(`POST /wire/v1/mirror?id=${id}`, ...fields)}${chunk("abc")}0\r\nX-Late: secret\r\n\r\n`,
  );
  const [answer] = answersIn(await connection.closed());
  const { headers, body } = JSON.parse(answer?.body ?? "") as {
    headers: Record<string, string>;
    body: string;
  };
  expect(body).toBe("abc");
  expect(headers).not.toHaveProperty("x-late");
  expect(headers).not.toHaveProperty("trailer");
  expect(headers).not.toHaveProperty("te");
});

test("a grpc-timeout ends the request in time, and the service is told what remains", async () => {
  const id = newId();
  const began = Date.now();
  const late = await fetch(`${ground.url}/wire/v1/silent`, {
    method: "POST",
    headers: { "grpc-timeout": "300m" },
  });
  expect(late.status).toBe(504);
  expect(late.headers.get("content-type")).toBe("application/problem+json");
  expect(Date.now() - began).toBeLessThan(5_000);
  await fetch(`${ground.url}/wire/v1/read?id=${id}`, { method: "POST", headers: { "grpc-timeout": "5S" } });
  const { headers } = await seen(id);
  expect(headers["grpc-timeout"]).toMatch(/^49\d\dm$/);
});

test("Expect: 100-continue is answered before the body is sent, and the answer comes after it", async () => {
  const connection = client();
  connection.send(
    head("POST /wire/v1/mirror", "Expect: 100-continue", "Content-Length: 3", "Connection: close"),
  );
  await connection.hear(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  connection.send("abc");
  const answers = answersIn(await connection.closed());
  expect(answers.map(({ status }) => status)).toEqual([100, 200]);
  expect(JSON.parse(answers[1]?.body ?? "")).toMatchObject({ body: "abc" });
});

test("an upgrade is refused by the service's own answer, and one to anything but WebSocket is not passed on", async () => {
  const refused = client();
  refused.send(
    head("GET /wire/v1/socket?refuse=1", ...UPGRADE, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
  );
  expect(answersIn(await refused.hear(/not today$/))[0]?.status).toBe(403);
  const other = client();
  other.send(
    head(
      "GET /wire/v1/mirror",
      "Upgrade: h2c",
      "Connection: Upgrade, HTTP2-Settings",
      "HTTP2-Settings: AAMAAABk",
    ),
  );
  const [answer] = answersIn(await other.hear(/"body":""\}$/));
  expect(answer?.status).toBe(200);
  expect(answer?.body).not.toMatch(/upgrade|http2-settings/i);
});

test("a WebSocket goes through the usual entry before the gateway as well", async () => {
  const socket = await webSocket("/wire/v1/socket", {}, ground.entry);
  expect(await socket.echo("hello")).toBe("hello");
  socket.close(1000, "");
  expect(await socket.closedWith()).toEqual([1000, ""]);
});

const UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];

/** Node's own, with what it does not let one see of the handshake. */
const webSocket = async (path: string, headers: Readonly<Record<string, string>>, url = ground.url) => {
  const connection = client(url);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  connection.send(head(`GET ${path}`, ...UPGRADE, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...fields));
  const heard = await connection.hear(/\r\n\r\n/);
  const [handshake] = answersIn(heard.slice(0, heard.indexOf("\r\n\r\n") + 4));
  if (handshake?.status !== 101) throw new Error(`Opening a WebSocket at "${path}": ${heard}`);
  let read = heard.indexOf("\r\n\r\n") + 4;
  const nextFrame = async () => {
    const wanted = () => frameIn(Buffer.from(connection.heard().slice(read), "latin1"));
    await vi.waitFor(() => expect(wanted()).toBeDefined(), { timeout: 5_000, interval: 5 });
    const frame = wanted();
    read += frame?.length ?? 0;
    return frame;
  };
  const say = (text: string) => connection.send(maskedFrame(1, Buffer.from(text)));
  return {
    head: handshake,
    say,
    async echo(text: string) {
      say(text);
      return (await nextFrame())?.payload.toString();
    },
    close(code: number, reason: string) {
      connection.send(
        maskedFrame(8, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])),
      );
    },
    async closedWith() {
      const frame = await nextFrame();
      expect(frame?.opcode).toBe(8);
      return [frame?.payload.readUInt16BE(0), frame?.payload.subarray(2).toString()];
    },
  };
};

const maskedFrame = (opcode: number, payload: Buffer): string => {
  const length = payload.length;
  const size =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0x80 | 126, length >> 8, length & 255]
        : [0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (length >> by) & 255)];
  // The mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]).toString("latin1");
};

const frameIn = (bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined => {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] ?? 0) & 127;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6);
  if (bytes.length < start + length) return undefined;
  return {
    opcode: (bytes[0] ?? 0) & 15,
    payload: bytes.subarray(start, start + length),
    length: start + length,
  };
};
