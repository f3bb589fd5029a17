/** A service of which one instance is in trouble, under load through a gateway: how many of its clients notice. */
import { setTimeout as pause } from "node:timers/promises";
import { type EchoInstance, startEcho } from "./echo-instances.ts";
import type { ManyIsolates } from "./many-isolates.ts";

export const TROUBLES = ["killed", "slow", "fails half"] as const;
export type Trouble = (typeof TROUBLES)[number];

/** How many of the instances are in trouble. */
export const REACHES = ["one of four", "all four"] as const;
export type Reach = (typeof REACHES)[number];

/** What a read route may have: nobody notices, though nothing of the service works. */
export const WHOLE_POLICY = {
  deadlineMs: 1_000,
  hedge: {},
  cache: { ttlSeconds: 1, staleWhileRevalidateSeconds: 30, staleIfErrorSeconds: 600 },
  fallback: { steps: [{ cached: { maxStaleSeconds: 600 } }] },
} as const;

export interface Noticed {
  readonly requests: number;
  /** Not answered, not a success, or not within {@link PATIENCE_MS}. */
  readonly noticed: number;
}

/** Longer than any answer of a healthy instance takes, also on a busy machine. */
export const PATIENCE_MS = 1_500;

const INSTANCES = 4;
const CLIENTS = 12;
const SLOW_MS = 3_000;

const accepted = async (answer: Promise<Response>): Promise<void> => {
  const response = await answer;
  if (!response.ok) throw new Error(`Asking the control plane: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
};

/** Publishes what the gateway is to go by, and waits until it does: a look is due each second. */
export const setPolicy = async ({ call, gateways }: ManyIsolates, policy: object): Promise<void> => {
  const init = { method: "PUT", body: { content: { policy } }, headers: { "if-match": "*" } };
  const first = await call("/documents/gateway/default", init);
  if (first.status === 412) await accepted(call("/documents/gateway/default", { ...init, headers: {} }));
  else await accepted(Promise.resolve(first));
  const until = performance.now() + 1_500;
  while (performance.now() < until) {
    await Promise.all(gateways.map((gateway) => fetch(`${gateway}/healthz`).then((answer) => answer.text())));
    await pause(100);
  }
};

export interface FailingService {
  /** Healthy again, then in trouble in the middle of a load of that long. */
  measure(trouble: Trouble, loadMs: number, reach?: Reach): Promise<Noticed>;
  stop(): Promise<void>;
}

/** Starts and registers a service of several instances; each measurement has new ones, so that none knows the last one's trouble. */
export const failingService = (ground: ManyIsolates): FailingService => {
  let running: EchoInstance[] = [];
  let generation = 0;

  const begin = async (service: string): Promise<EchoInstance[]> => {
    const instances = await Promise.all(
      Array.from({ length: INSTANCES }, (_, index) => startEcho(`${service}-${index}`, 1, service)),
    );
    for (const { id, url } of instances) {
      const body = { version: "1.0.0", url, ttlSeconds: 600, health: false };
      await accepted(ground.call(`/registry/${service}/instances/${id}`, { method: "PUT", body }));
    }
    return instances;
  };

  const stop = async () => {
    await Promise.all(running.splice(0).map((instance) => instance.stop()));
  };

  return {
    stop,
    async measure(trouble, loadMs, reach = "one of four") {
      await stop();
      const service = `troubled-${++generation}`;
      running = await begin(service);
      const [gateway = ""] = ground.gateways;
      const url = `${gateway}/${service}/v1/anything`;
      await reachable(url);
      const end = performance.now() + loadMs;
      const loading = load(url, end);
      await pause(loadMs / 4);
      const troubled = reach === "all four" ? running : running.slice(0, 1);
      await Promise.all(troubled.map((instance) => makeTrouble(instance, trouble)));
      return loading;
    },
  };
};

const reachable = async (url: string): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { ok } = await fetch(url).then(async (answer) => ({ ok: answer.ok, text: await answer.text() }));
    if (ok) return;
    await pause(50);
  }
  throw new Error(`Waiting for "${url}": it was not reachable within five seconds`);
};

const makeTrouble = async (instance: EchoInstance, trouble: Trouble): Promise<void> => {
  if (trouble === "killed") await instance.stop();
  else instance.behave(trouble === "slow" ? { delayMs: SLOW_MS } : { failEvery: 2 });
};

/** Clients that each ask again as soon as they are answered. */
const load = async (url: string, end: number): Promise<Noticed> => {
  let requests = 0;
  let noticed = 0;
  const ask = async () => {
    requests++;
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined);
    await answer?.text().catch(() => undefined);
    if (!answer?.ok) noticed++;
  };
  const client = async () => {
    while (performance.now() < end) {
      await ask();
      await pause(10);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { requests, noticed };
};
