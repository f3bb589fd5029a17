/** Instances of a small service as processes have them: HTTP servers that come, are registered, drain and go. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Behaviour {
  /** Before each answer. */
  readonly delayMs?: number;
  /** 2: every second answer is a 503. */
  readonly failEvery?: number;
}

export interface EchoInstance {
  readonly id: string;
  readonly url: string;
  /** Requests that it has not answered yet. */
  inFlight(): number;
  /** From the next request on. */
  behave(behaviour: Behaviour): void;
  /** Ends at once: who still sends something here gets no answer. */
  stop(): Promise<void>;
}

/** Answers `{id, major}`: every path of its own service and major, 404 to all other ones. */
export const startEcho = async (id: string, major: number, service = "echo"): Promise<EchoInstance> => {
  let inFlight = 0;
  let answers = 0;
  let behaviour: Behaviour = {};
  const server = createServer((request, response) => {
    inFlight++;
    response.on("close", () => inFlight--);
    const { delayMs = 0, failEvery = 0 } = behaviour;
    const path = request.url ?? "";
    const known = path === "/healthz" || path.startsWith(`/${service}/v${major}/`);
    const fails = failEvery > 0 && ++answers % failEvery === 0;
    const answer = () => {
      response.writeHead(fails ? 503 : known ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify({ id, major }));
    };
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    id,
    url: `http://127.0.0.1:${port}`,
    inFlight: () => inFlight,
    behave: (next) => {
      behaviour = next;
    },
    stop: () => stopped(server),
  };
};

const stopped = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
