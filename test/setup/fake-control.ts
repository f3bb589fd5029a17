/** A control plane for tests: a real HTTP server that answers as one would, and keeps what it was asked. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface FakeAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeControl {
  readonly url: string;
  /** Every request so far. */
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
};

/** @param answers by method and path below `/control/v1`, as in "GET /documents/orders/default"; whatever else is asked is not found */
export const fakeControl = async (
  answers: Readonly<Record<string, FakeAnswer | ((asked: Asked) => FakeAnswer)>>,
): Promise<FakeControl> => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = "", url: path = "", headers } = request;
    const question = { method, path, headers, body: await bodyOf(request) };
    asked.push(question);
    const found = answers[`${method} ${path.replace(/^\/control\/v1|\?.*$/g, "")}`];
    const answer = typeof found === "function" ? found(question) : found;
    const { status = 200, body, headers: more } = answer ?? notFound(path);
    const type = status >= 400 ? "application/problem+json" : "application/json";
    response.writeHead(status, { "content-type": type, connection: "close", ...more });
    response.end(typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: async () => {
      server.close();
      await once(server, "close");
    },
  };
};

export const problem = (status: number, code: string, detail: string, more: object = {}): FakeAnswer => ({
  status,
  body: { type: `/problems/${code}`, title: `Title of ${code}`, status, detail, ...more },
});

const notFound = (path: string): FakeAnswer => problem(404, "not_found", `Looking for "${path}".`);
