/**
 * A service that is no worker: runs unchanged on Node, Bun and Deno, registers itself, takes its configuration while it runs,
 * lets in only what comes with the gateway's word for its caller, and drains on SIGTERM. Its settings are variables: SERVICE,
 * GATEWAY_URL, CONTROL_TOKEN, and NATS_URL to be told of changes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import * as z from "zod";
import { followEpochs } from "#nats/epoch-subscription.ts";
import { IDENTITY_HEADER } from "#shared/identity/identity-token.ts";
import { identityVerifier } from "#shared/identity/identity-verifier.ts";
import { fetchedKeySet } from "#shared/identity/key-set-source.ts";
import { refuseIdentity, verifiedCaller } from "#shared/identity/require-identity.ts";
import { processLink } from "#shared/registry/process/process-link.ts";
import { registrar } from "#shared/registry/process/registrar.ts";
import { sleep, systemClock } from "#shared/runtime/clock.ts";

const { SERVICE: service = "echo", GATEWAY_URL: gatewayUrl = "", NATS_URL: natsUrl } = process.env;
const { CONTROL_TOKEN: token = "" } = process.env;
const GRACE_MS = 10_000;

const common = { gatewayUrl, token, service, clock: systemClock, sleep };
const link = processLink(common);
const config = link.config(z.object({ greeting: z.string().default("hello") }));
const epochs = natsUrl && followEpochs({ url: natsUrl, name: service, saw: link.saw, sleep });

const keysUrl = `${gatewayUrl}/.well-known/jwks.json`;
const keys = fetchedKeySet({ url: keysUrl, fetch: (asked) => fetch(asked), clock: systemClock, sleep });
const verifier = identityVerifier({ keys, audience: service, clock: systemClock });

const id = `${service}-${crypto.randomUUID()}`;
let inFlight = 0;

const answer = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};

/** `GET /{service}/v1/echo?ms=100` takes that long. */
const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://echo");
  const { pathname, searchParams } = url;
  if (pathname === "/healthz") return answer(response, 200, { status: "up" });
  const token = request.headers[IDENTITY_HEADER];
  const headers = typeof token === "string" ? { [IDENTITY_HEADER]: token } : {};
  const caller = await verifiedCaller(new Request(url, { headers }), verifier);
  if (!caller.ok) {
    const refusal = refuseIdentity(caller.error, pathname);
    response.writeHead(refusal.status, [...refusal.headers].flat()).end(await refusal.text());
    return;
  }
  if (pathname !== `/${service}/v1/echo`) return answer(response, 404, { detail: "no such path" });
  inFlight++;
  try {
    await sleep(Number(searchParams.get("ms") ?? 0));
    answer(response, 200, { id, greeting: config.get().greeting, caller: caller.value.subject });
  } finally {
    inFlight--;
  }
};

const server = createServer((request, response) => void handle(request, response));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}`;

const registration = registrar({
  ...common,
  id,
  version: "1.0.0",
  url,
  ttlSeconds: 5,
  health: { intervalSeconds: 1 },
  onProblem: ({ message }) => console.error(message),
});

process.once("SIGTERM", async () => {
  await registration.drain({ graceMs: GRACE_MS, inFlight: () => inFlight });
  link.close();
  if (epochs) await epochs.close();
  server.close();
  // Callers keep connections open for later requests, which do not come any more.
  server.closeAllConnections();
});

await link.start();
await registration.start();
console.log(JSON.stringify({ ready: url, id, state: registration.state() }));
