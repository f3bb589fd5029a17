/** Ports on the loopback interface: which are free. */
import { createServer } from "node:net";

const HOSTS = ["127.0.0.1", "::1"];

/** Resolves with the port that was bound and let go again, or with the reason why it could not be bound. */
const tryBind = (host: string, port: number): Promise<number | string> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address ? address.port : port;
      server.close(() => resolve(bound));
    });
  });

/** A port that nobody uses at this moment. */
export const freePort = async (): Promise<number> => {
  const port = await tryBind("127.0.0.1", 0);
  if (typeof port === "string") throw new Error(`cannot bind a port of 127.0.0.1: ${port}`);
  return port;
};

/**
 * Why the port cannot be had, null when it can. `localhost` may mean 127.0.0.1 or ::1: whoever holds either would be
 * mistaken for us; a machine without IPv6 has only the first.
 */
export const portRefusal = async (port: number): Promise<string | null> => {
  for (const host of HOSTS) {
    const bound = await tryBind(host, port);
    if (bound === "EADDRINUSE") return "it is in use by another program";
    if (bound === "EACCES") return "this user may not listen on it";
  }
  return null;
};
