/** Requests that `fetch` would refuse or repair: any target, any header, any bytes. */
import { request } from "node:http";
import { connect } from "node:net";

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const ANSWER_MS = 15_000;

/** Sends the body in the chunks given, without `content-length`. */
export const sendChunked = (
  url: string,
  {
    path,
    method,
    headers,
    chunks,
  }: { path: string; method: string; headers: Record<string, string>; chunks: Iterable<string | Uint8Array> },
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, path, method, headers, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on("error", reject);
    });
    sent.on("timeout", () =>
      sent.destroy(new Error(`No answer to ${method} ${path} within ${ANSWER_MS} ms`)),
    );
    sent.on("error", reject);
    for (const chunk of chunks) sent.write(chunk);
    sent.end();
  });

/** Sends the bytes as they are and resolves with the status line's code; 0 when the connection was closed without one. */
export const sendBytes = (url: string, bytes: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes, "latin1"));
    let text = "";
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`No answer within ${ANSWER_MS} ms`)));
    socket.on("data", (chunk) => {
      text += chunk;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status === undefined) return;
      socket.destroy();
      resolve(Number(status));
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(0) : reject(error),
    );
    socket.on("close", () => resolve(0));
  });
