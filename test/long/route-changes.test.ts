/** A thousand changes of routes under load: instances come and go, weights and versions change, and nobody notices. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type EchoInstance, startEcho } from "../control/echo-instances.ts";
import { type ManyIsolates, startManyIsolates } from "../control/many-isolates.ts";

const CHANGES = 1_000;
const CLIENTS = 8;
/** Between registering an instance or draining one: as often as a busy team deploys, a hundred times over. */
const CHANGES_PER_DEPLOYMENT = 25;
const DRAIN_SECONDS = 5;

let ground: ManyIsolates;
const running = new Map<string, EchoInstance>();
const ending: Promise<void>[] = [];

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 0, gateways: 2, lagMs: 60_000 });
});
afterAll(async () => {
  await Promise.all(ending);
  await ground?.close();
  for (const instance of running.values()) await instance.stop();
});

const accepted = async (response: Response): Promise<void> => {
  if (!response.ok) throw new Error(`Changing a route: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
};

const register = (instance: EchoInstance, major: number, weight: number) =>
  ground
    .call(`/registry/echo/instances/${instance.id}`, {
      method: "PUT",
      body: { version: `${major}.0.0`, url: instance.url, weight, ttlSeconds: 600, health: false },
    })
    .then(accepted);

/** A new instance serves before the old one stops taking work; that one ends when its drain is over. */
const replace = async (previous: EchoInstance, major: number, id: string): Promise<EchoInstance> => {
  const next = await startEcho(id, major);
  running.set(id, next);
  await register(next, major, 100);
  await ground
    .call(`/registry/echo/instances/${previous.id}?drainSeconds=${DRAIN_SECONDS}`, { method: "DELETE" })
    .then(accepted);
  ending.push(
    pause(DRAIN_SECONDS * 1_000).then(async () => {
      expect(previous.inFlight()).toBe(0);
      running.delete(previous.id);
      await previous.stop();
    }),
  );
  return next;
};

const everyGatewayKnows = (majors: readonly number[]) => async () => {
  for (const gateway of ground.gateways) {
    for (const major of majors) expect((await fetch(`${gateway}/echo/v${major}/anything`)).status).toBe(200);
  }
};

interface Load {
  readonly answers: number;
  readonly wrong: readonly string[];
}

/** Asks both majors through every gateway, without a pause, until it is stopped. */
const load = (stop: AbortSignal): Promise<Load> => {
  const wrong: string[] = [];
  let answers = 0;
  const ask = async (gateway: string, major: number) => {
    const response = await fetch(`${gateway}/echo/v${major}/anything`);
    const text = await response.text();
    answers++;
    if (response.ok && (JSON.parse(text) as { major: number }).major === major) return;
    if (wrong.length < 20) wrong.push(`v${major}: ${response.status} ${text.slice(0, 200)}`);
  };
  const client = async (index: number) => {
    const gateway = ground.gateways[index % ground.gateways.length] ?? "";
    for (let turn = 0; !stop.aborted; turn++) {
      await ask(gateway, 1 + (turn % 2)).catch((error: unknown) => wrong.push(String(error)));
      // Leaves the two cores something for the changes: their number is what counts here.
      await pause(5);
    }
  };
  return Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index))).then(() => ({
    answers,
    wrong,
  }));
};

test("a thousand changes of routes under load give not one answer that is wrong or not a success", async () => {
  const majors = [1, 2];
  const current = new Map<number, EchoInstance[]>();
  for (const major of majors) {
    const instances = await Promise.all([0, 1].map((n) => startEcho(`v${major}-first-${n}`, major)));
    for (const instance of instances) {
      running.set(instance.id, instance);
      await register(instance, major, 100);
    }
    current.set(major, instances);
  }

  await vi.waitFor(everyGatewayKnows(majors), { timeout: 5_000, interval: 50 });

  const stop = new AbortController();
  const loading = load(stop.signal);
  const started = performance.now();
  for (let change = 1; change <= CHANGES; change++) {
    const major = majors[change % 2] ?? 1;
    const instances = current.get(major) ?? [];
    const which = Math.floor(change / 2) % instances.length;
    const instance = instances[which];
    if (!instance) throw new Error(`Changing a route: there is no instance of major "${major}"`);
    if (change % CHANGES_PER_DEPLOYMENT === 0) {
      instances[which] = await replace(instance, major, `v${major}-change-${change}`);
    } else await register(instance, major, 1 + (change % 200));
  }
  const tookMs = performance.now() - started;
  stop.abort();
  const { answers, wrong } = await loading;
  console.log(`  ${CHANGES} changes in ${Math.round(tookMs / 100) / 10} s under ${answers} answers`);
  expect(wrong).toEqual([]);
  expect(answers).toBeGreaterThan(CHANGES);
}, 180_000);
