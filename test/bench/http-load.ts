/** Loads an HTTP server from a few connections that stay open, by as little code as can be: it must not be the limit. */
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Slice } from "./in-turns.ts";

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpLoadOptions {
  /** Origin of the server. */
  readonly url: string;
  /** Asked for in turns: method, path, and a JSON body when there is one. */
  readonly requests: readonly LoadRequest[];
  readonly expectedStatus: number;
  readonly connections: number;
}

/**
 * Each connection asks again as soon as it was answered. Every slice opens its own, because a server closes those that
 * are idle while another slice runs.
 * @throws Error when an answer has another status than expected, or does not come
 */
export const httpLoad = (options: HttpLoadOptions): Slice => {
  const url = new URL(options.url);
  const requests = options.requests.map((request) => requestBytes(url.host, request));
  let asked = 0;

  const askUntil = async (connection: Connection, end: number): Promise<number> => {
    for (let answered = 0; ; answered++) {
      if (performance.now() >= end) return answered;
      const turn = asked++ % requests.length;
      const status = await connection.ask(requests[turn] ?? Buffer.alloc(0));
      if (status !== options.expectedStatus) {
        const { method, path } = options.requests[turn] ?? {};
        throw new Error(
          `Loading ${method} "${path}": answered ${status}, expected ${options.expectedStatus}`,
        );
      }
    }
  };

  return async (ms) => {
    const connections = await Promise.all(
      Array.from({ length: options.connections }, () => openConnection(url)),
    );
    try {
      const start = performance.now();
      const counts = await Promise.all(connections.map((connection) => askUntil(connection, start + ms)));
      const answered = counts.reduce((sum, count) => sum + count, 0);
      return (answered * 1000) / (performance.now() - start);
    } finally {
      for (const connection of connections) connection.close();
    }
  };
};

const requestBytes = (host: string, { method, path, body, headers = {} }: LoadRequest): Buffer => {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = body === undefined ? "" : JSON.stringify(body);
  const entity =
    body === undefined
      ? ""
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${fields.join("")}${entity}\r\n${text}`);
};

const ANSWER_MS = 10_000;

interface Connection {
  /** Sends the request and resolves with the status when the whole answer has come. */
  ask(request: Buffer): Promise<number>;
  close(): void;
}

const openConnection = async ({ hostname, port }: URL): Promise<Connection> => {
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true, timeout: ANSWER_MS });
  socket.on("timeout", () => socket.destroy(new Error(`The server did not answer in ${ANSWER_MS} ms`)));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  let received: Buffer = Buffer.alloc(0);
  let waiting: PromiseWithResolvers<number> | undefined;
  const fail = (error?: Error) => waiting?.reject(error ?? new Error("The server closed the connection"));
  socket.on("error", fail).on("close", () => fail());
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (!isWhole(received)) return;
    const status = Number(received.toString("latin1", 9, 12));
    received = Buffer.alloc(0);
    waiting?.resolve(status);
  });
  return {
    ask(request) {
      waiting = Promise.withResolvers();
      socket.write(request);
      return waiting.promise;
    },
    close: () => socket.destroy(),
  };
};

/** One answer at a time is on the way, so the end of the last chunk can only be the end of what was received. */
const isWhole = (received: Buffer): boolean => {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = received.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return received.length >= headEnd + 4 + Number(length);
  return received.subarray(-5).equals(LAST_CHUNK);
};

const LAST_CHUNK = Buffer.from("0\r\n\r\n");
