/** One connection of a client that says whatever a test wants, byte by byte, and hears everything. */
import { connect } from "node:net";

export interface RawConnection {
  /** One byte a character. */
  send(bytes: string): void;
  /** Everything heard so far, one byte a character. */
  heard(): string;
  /** Resolves with everything heard once it matches; rejects when the connection ends, or the time is over, before that. */
  hear(pattern: RegExp): Promise<string>;
  /** Resolves with everything heard once the other side has closed. */
  closed(): Promise<string>;
  /** Sends no more, and still takes what comes. */
  end(): void;
  /** Stops, or begins again, to take what comes. */
  pause(): void;
  resume(): void;
  /** Breaks the connection, as one that is lost. */
  reset(): void;
  /** Goes away without a word. */
  destroy(): void;
}

const PATIENCE_MS = 10_000;

export const rawConnection = (url: string): RawConnection => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  let over = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  socket.on("data", (chunk) => {
    chunks.push(chunk);
    wake();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    over = true;
    wake();
  });
  const heard = () => Buffer.concat(chunks).toString("latin1");

  const until = (wanted: string, isThere: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => {
        stop();
        reject(new Error(`Waiting for ${wanted}: ${why}; heard ${JSON.stringify(heard().slice(-500))}`));
      };
      const timer = setTimeout(() => fail(`nothing of it within ${PATIENCE_MS} ms`), PATIENCE_MS);
      const stop = () => {
        clearTimeout(timer);
        waiting.delete(look);
      };
      const look = () => {
        if (isThere()) {
          stop();
          resolve(heard());
        } else if (over) fail("the connection has ended");
      };
      waiting.add(look);
      look();
    });

  return {
    send: (bytes) => void socket.write(bytes, "latin1"),
    heard,
    hear: (pattern) => until(String(pattern), () => pattern.test(heard())),
    closed: () => until("the end", () => over),
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
  };
};

/** A request's head; `Host` unless it has one. */
export const head = (line: string, ...fields: readonly string[]): string =>
  [`${line} HTTP/1.1`, "Host: gateway.example", ...fields, "", ""].join("\r\n");

/** One piece of a chunked body. */
export const chunk = (bytes: string): string => `${bytes.length.toString(16)}\r\n${bytes}\r\n`;

export interface HeardAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** All answers in what was heard, of declared lengths or chunked; the last one may be cut. */
export const answersIn = (heard: string): HeardAnswer[] => {
  const answers: HeardAnswer[] = [];
  let rest = heard;
  for (let end = rest.indexOf("\r\n\r\n"); end >= 0; end = rest.indexOf("\r\n\r\n")) {
    const [line = "", ...fields] = rest.slice(0, end).split("\r\n");
    const headers = new Headers(
      fields.map((field) => [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1)]),
    );
    const read = bodyIn(rest.slice(end + 4), headers);
    answers.push({ status: Number(line.split(" ")[1]), headers, body: read.body });
    rest = read.rest;
  }
  return answers;
};

const bodyIn = (text: string, headers: Headers): { readonly body: string; readonly rest: string } => {
  if (headers.get("transfer-encoding") !== "chunked") {
    const length = Number(headers.get("content-length") ?? 0);
    return { body: text.slice(0, length), rest: text.slice(length) };
  }
  let body = "";
  let rest = text;
  for (;;) {
    const line = rest.indexOf("\r\n");
    const length = line < 0 ? 0 : Number.parseInt(rest, 16);
    if (!(length > 0)) return { body, rest: line < 0 ? "" : rest.slice(line + 4) };
    body += rest.slice(line + 2, line + 2 + length);
    rest = rest.slice(line + 2 + length + 2);
  }
};
