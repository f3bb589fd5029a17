/** Instances of a small service as processes have them: HTTP servers that come, are registered, drain and go. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface EchoInstance {
  readonly id: string;
  readonly url: string;
  /** Requests that it has not answered yet. */
  inFlight(): number;
  /** Ends at once: who still sends something here gets no answer. */
  stop(): Promise<void>;
}

/** Answers `{id, major}`: every path of its own major, 404 to all other ones. */
export const startEcho = async (id: string, major: number): Promise<EchoInstance> => {
  let inFlight = 0;
  const server = createServer((request, response) => {
    inFlight++;
    response.on("close", () => inFlight--);
    const path = request.url ?? "";
    const known = path === "/healthz" || path.startsWith(`/echo/v${major}/`);
    response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify({ id, major }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { id, url: `http://127.0.0.1:${port}`, inFlight: () => inFlight, stop: () => stopped(server) };
};

const stopped = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
