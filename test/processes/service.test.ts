/** One service, unchanged, on every runtime that can be had: from its registration to its end. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { natsConnector } from "#nats/connection.ts";
import { epochBroadcast } from "#nats/epoch-broadcast.ts";
import { LIMITS } from "#shared/limits.ts";
import { systemClock } from "#shared/runtime/clock.ts";
import { startNats } from "../setup/nats.ts";
import { recordingGateway } from "./recording-gateway.ts";
import { type Runtime, runService, runtimes } from "./run-service.ts";

const { present, absent } = runtimes();
for (const name of absent) console.warn(`Skipping processes on ${name}: not fetched, \`npm test\` does it`);

/** Sooner than the process would look by itself. */
const TOLD_MS = LIMITS.processLookMs - 1_000;
const TOKEN = "token-of-the-test";
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const started = async (runtime: Runtime, options: { natsUrl?: string } = {}) => {
  const gateway = await recordingGateway(TOKEN);
  cleanUps.push(gateway.close);
  const service = await runService(runtime, {
    service: "echo",
    gatewayUrl: gateway.url,
    token: TOKEN,
    ...options,
  });
  cleanUps.push(service.kill);
  const echo = async (query = "") => {
    const headers = await gateway.identity({ subject: "alice", scopes: [], by: "jwt" });
    const response = await fetch(`${service.url}/echo/v1/echo${query}`, { headers });
    return (await response.json()) as { id: string; greeting: string; caller: string };
  };
  return { gateway, service, echo };
};

const greetingAt = (epoch: number, greeting: string) => ({
  epoch,
  changedAt: Date.now(),
  services: [],
  whole: true,
  config: { service: "echo", profile: "default", epoch, value: { greeting }, flags: {} },
});

describe.each(present)("a process on $name", (runtime) => {
  test("registers, serves, and ends by a drain that lets a request under way finish", async () => {
    const { gateway, service, echo } = await started(runtime);
    expect(service.state).toBe("registered");
    expect(gateway.registration()).toMatchObject({ version: "1.0.0", url: service.url, ttlSeconds: 5 });
    expect(await echo()).toEqual({ id: service.id, greeting: "hello", caller: "alice" });

    const underWay = echo("?ms=3500");
    const terminated = service.terminate();
    expect((await underWay).id).toBe(service.id);
    expect(await terminated).toEqual({ code: 0, said: "" });
    expect(gateway.asked.filter((ask) => ask.startsWith("DELETE"))).toEqual([`DELETE ${service.id}`]);
    expect(gateway.asked.at(-1)).toBe(`DELETE ${service.id}`);
  });

  test("lets in nobody without the gateway's word, whose keys it has from the gateway", async () => {
    const { gateway, service } = await started(runtime);
    const other = await recordingGateway(TOKEN);
    cleanUps.push(other.close);
    const codeFor = async (headers: Readonly<Record<string, string>>) => {
      const answer = await fetch(`${service.url}/echo/v1/echo`, { headers });
      return [answer.status, ((await answer.json()) as { type?: string }).type];
    };
    const caller = { subject: "alice", scopes: [], by: "jwt" } as const;
    expect(await codeFor({})).toEqual([401, "/problems/identity_missing"]);
    expect(await codeFor(await other.identity(caller))).toEqual([401, "/problems/identity_not_valid"]);
    expect(await codeFor(await gateway.identity(caller))).toEqual([200, undefined]);
  });

  test("takes a new configuration when NATS tells of it", async () => {
    const nats = await startNats();
    cleanUps.push(nats.dispose);
    const { gateway, echo } = await started(runtime, { natsUrl: nats.url });
    const connector = natsConnector({ url: nats.url, name: "control", clock: systemClock });
    cleanUps.push(connector.close);
    const broadcast = epochBroadcast({ connector });
    gateway.publish(greetingAt(1, "hi"));
    await vi.waitFor(
      async () => {
        await broadcast(1);
        expect((await echo()).greeting).toBe("hi");
      },
      { timeout: TOLD_MS, interval: 50 },
    );
  });
});
