/** A gateway that only knows the control plane's paths for processes and its own keys, and notes what it is asked of the first. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { newIdentityKey } from "#cli/identity-keys.ts";
import type { Changes } from "#shared/control/changes.ts";
import type { Caller } from "#shared/identity/caller.ts";
import { publicJwks } from "#shared/identity/identity-keys.ts";
import { identityMinter } from "#shared/identity/identity-minter.ts";
import { IDENTITY_HEADER } from "#shared/identity/identity-token.ts";
import { systemClock } from "#shared/runtime/clock.ts";

export interface RecordingGateway {
  readonly url: string;
  /** Like "PUT echo-1", in the order in which they came; looks are not noted. */
  readonly asked: readonly string[];
  /** The last registration. */
  registration(): Readonly<Record<string, unknown>> | undefined;
  publish(changes: Changes): void;
  /** What it sends along with a request of this caller. */
  identity(caller: Caller): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

const INSTANCE = /^\/control\/v1\/registry\/echo\/instances\/([^/?]+)$/;

/** @param token that every request must bear: others are refused */
export const recordingGateway = async (token: string): Promise<RecordingGateway> => {
  const asked: string[] = [];
  let registration: Record<string, unknown> | undefined;
  let published: Changes | undefined;
  const key = newIdentityKey();
  const minter = identityMinter({ keys: [key], clock: systemClock });

  const answerOf = async (request: IncomingMessage): Promise<{ status: number; body?: object }> => {
    const url = new URL(request.url ?? "/", "http://gateway");
    if (url.pathname === "/.well-known/jwks.json") return { status: 200, body: publicJwks([key]) };
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: {} };
    if (url.pathname === "/control/v1/changes") {
      const isNews = published && published.epoch > Number(url.searchParams.get("epoch"));
      return isNews && published ? { status: 200, body: published } : { status: 204 };
    }
    const id = INSTANCE.exec(url.pathname)?.[1];
    if (id === undefined) return { status: 404, body: {} };
    asked.push(`${request.method} ${id}`);
    if (request.method === "DELETE") return { status: 202, body: { state: "draining" } };
    registration = (await json(request)) as Record<string, unknown>;
    return { status: 200, body: { state: "up" } };
  };

  const server = createServer(async (request, response) => {
    const { status, body } = await answerOf(request);
    response.writeHead(status, { "content-type": "application/json" }).end(body && JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    registration: () => registration,
    identity: async (caller) => ({ [IDENTITY_HEADER]: await minter.mint(caller) }),
    publish: (changes) => {
      published = changes;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
