/** A service that is no worker and tells its clients what it was told of them; it has the gateway's keys from the gateway. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServiceApp } from "#shared/http/service-app.ts";
import { SET_SESSION_FIELD, sessionField, sessionIn } from "#shared/http/session-fields.ts";
import { identityVerifier } from "#shared/identity/identity-verifier.ts";
import { fetchedKeySet } from "#shared/identity/key-set-source.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";

export interface WhoService {
  /** Its own address. */
  readonly url: string;
  close(): Promise<void>;
}

/** `GET /who/v1/me` tells; `PUT /who/v1/session` signs in, `DELETE` out. */
const whoApp = (gatewayUrl: string) => {
  const keys = fetchedKeySet({
    url: `${gatewayUrl}/.well-known/jwks.json`,
    fetch: (request) => fetch(request),
    clock: systemClock,
    sleep,
  });
  const verifier = identityVerifier({ keys, audience: "who", clock: systemClock });
  const app = createServiceApp({
    name: "who",
    major: 1,
    description: "Tells who calls.",
    problems: {},
    readiness: [],
    identity: { verifier },
  });
  app.get("/me", (c) =>
    c.json({ caller: c.var.caller, session: sessionIn(c.req.raw.headers), cookie: c.req.header("cookie") }),
  );
  app.put("/session", (c) => {
    c.header(SET_SESSION_FIELD, sessionField({ sub: "alice", scopes: ["who:read"] }));
    return c.json({});
  });
  app.delete("/session", (c) => {
    c.header(SET_SESSION_FIELD, "");
    return c.json({});
  });
  return app;
};

/** On a free port of this machine. */
export const startWhoService = async (gatewayUrl: string): Promise<WhoService> => {
  const app = whoApp(gatewayUrl);
  const server = createServer(async ({ method = "GET", url = "/", headers }, response) => {
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, `${value}`]);
    const answer = await app.request(new Request(new URL(url, "http://who"), { method, headers: sent }));
    response.writeHead(answer.status, [...answer.headers].flat()).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
