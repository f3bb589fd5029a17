/** The control worker goes away, silently or not, also for isolates that only start then; nobody stops, and nothing is forgotten. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type EchoInstance, startEcho } from "../control/echo-instances.ts";
import { type ManyIsolates, startManyIsolates } from "../control/many-isolates.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";

const SOON = { timeout: 5_000, interval: 25 };

let folder: TemporaryFolder;
let ground: ManyIsolates;
let echo: EchoInstance;

const publish = async (mark: number): Promise<void> => {
  const body = { content: { mark } };
  const response = await ground.call("/documents/probe/default", {
    method: "PUT",
    body,
    headers: { "if-match": "*" },
  });
  expect(response.ok, await response.text()).toBe(true);
};

const marks = (): Promise<number[]> =>
  Promise.all(
    ground.probes.map(async (probe) => ((await (await fetch(probe)).json()) as { mark: number }).mark),
  );

const everyoneSees = (mark: number): Promise<void> =>
  vi.waitFor(async () => expect(await marks()).toEqual(ground.probes.map(() => mark)), SOON);

/** How the route is answered by every gateway, and how long the slowest took. */
const throughGateways = async () => {
  const started = performance.now();
  const statuses = await Promise.all(
    ground.gateways.map(async (gateway) => {
      const response = await fetch(`${gateway}/echo/v1/anything`);
      await response.text();
      return response.status;
    }),
  );
  return { statuses, tookMs: performance.now() - started };
};

beforeAll(async () => {
  folder = await temporaryFolder("control-stopped");
  ground = await startManyIsolates({ probes: 2, gateways: 2, folder: folder.path });
  echo = await startEcho("echo-1", 1);
  const body = { version: "1.0.0", url: echo.url, ttlSeconds: 600, health: false };
  const response = await ground.call("/registry/echo/instances/echo-1", { method: "PUT", body });
  expect(response.status, await response.text()).toBe(201);
  expect(
    (await ground.call("/documents/probe/default", { method: "PUT", body: { content: { mark: 1 } } })).status,
  ).toBe(201);
  await everyoneSees(1);
});
afterEach(() => ground.switchControl("on"));
afterAll(async () => {
  await ground?.close();
  await echo?.stop();
  await folder?.remove();
});

test.each(["refusing", "silent"] as const)(
  "while the control worker is %s, everyone goes on with what was known last, and no request waits for it",
  async (mode) => {
    const [before] = await marks();
    await vi.waitFor(
      async () => expect((await throughGateways()).statuses).toEqual(ground.gateways.map(() => 200)),
      SOON,
    );
    await ground.switchControl(mode);
    const end = performance.now() + 3_000;
    while (performance.now() < end) {
      const { statuses, tookMs } = await throughGateways();
      expect(statuses).toEqual(ground.gateways.map(() => 200));
      expect(tookMs).toBeLessThan(900);
      expect(new Set(await marks())).toEqual(new Set([before]));
    }
    await ground.switchControl("on");
    await publish((before ?? 0) + 1);
    await everyoneSees((before ?? 0) + 1);
  },
);

test("isolates that start while it is away know what was written last, by the snapshots; when it is back, changes flow again", async () => {
  const mark = Math.max(...(await marks())) + 1;
  await publish(mark);
  await everyoneSees(mark);
  const status = async () =>
    (await (await ground.call("/status")).json()) as { epoch: number; snapshots: { epoch: number } };
  await vi.waitFor(async () => {
    const { epoch, snapshots } = await status();
    expect(snapshots.epoch).toBe(epoch);
  }, SOON);

  ground = await ground.restart({ control: "away" });
  expect(await marks()).toEqual(ground.probes.map(() => mark));
  expect((await throughGateways()).statuses).toEqual(ground.gateways.map(() => 200));

  ground = await ground.restart({ control: "here" });
  await publish(mark + 1);
  await everyoneSees(mark + 1);
});
