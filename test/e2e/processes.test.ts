/** Services that are no workers, behind the gateway: found as soon as they register, and gone without a lost request. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { controlClient } from "#cli/control-client.ts";
import { type RunningService, type Runtime, runService, runtimes } from "../processes/run-service.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system?.close());

const { present, absent } = runtimes();
for (const name of absent) console.warn(`Skipping processes on ${name}: not fetched, \`npm test\` does it`);

interface Answer {
  readonly status: number;
  readonly id?: string;
  readonly greeting?: string;
}

const echo = async (service: string, query = ""): Promise<Answer> => {
  const response = await fetch(`${system.url}/${service}/v1/echo${query}`);
  const body = (await response.json()) as Omit<Answer, "status">;
  return { ...body, status: response.status };
};

const start = (runtime: Runtime, service: string): Promise<RunningService> =>
  runService(runtime, {
    service,
    gatewayUrl: system.url,
    token: system.controlToken,
    natsUrl: system.nats.url,
  });

/** Asks without a pause on four lanes until it is told to stop; then gives every answer, 0 for none. */
const traffic = (service: string) => {
  const answers: Answer[] = [];
  let isStopped = false;
  const lane = async () => {
    while (!isStopped) answers.push(await echo(service, "?ms=20").catch(() => ({ status: 0 })));
  };
  const lanes = Promise.all(Array.from({ length: 4 }, lane));
  return {
    answers,
    async stop() {
      isStopped = true;
      await lanes;
      return answers;
    },
  };
};

const idsIn = (answers: readonly Answer[]): Set<string | undefined> => new Set(answers.map(({ id }) => id));

const REACHABLE_MS = 1_000;

describe.each(present)("a process on $name", (runtime) => {
  const service = `echo-${runtime.name}`;

  test("is reachable within a second of registering, shares the work, and leaves without a lost request", async () => {
    const first = await start(runtime, service);
    const others: RunningService[] = [];
    try {
      await vi.waitFor(async () => expect((await echo(service)).id).toBe(first.id), {
        timeout: REACHABLE_MS,
        interval: 20,
      });
      const load = traffic(service);
      const second = await start(runtime, service);
      others.push(second);
      await vi.waitFor(() => expect(idsIn(load.answers)).toEqual(new Set([first.id, second.id])), {
        timeout: 5_000,
        interval: 50,
      });
      expect(await first.terminate()).toEqual({ code: 0, said: "" });
      const before = load.answers.length;
      await vi.waitFor(() => expect(load.answers.length).toBeGreaterThan(before + 20), { timeout: 5_000 });
      const answers = await load.stop();
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(idsIn(answers.slice(before + 4))).toEqual(new Set([second.id]));
      expect((await second.terminate()).code).toBe(0);
      // A gateway that nobody asked meanwhile learns of it by the first request.
      await vi.waitFor(async () => expect([404, 503]).toContain((await echo(service)).status), {
        timeout: 2_000,
        interval: 100,
      });
    } finally {
      for (const one of [first, ...others]) await one.kill();
    }
  });
});

test("a published configuration is in force in a process that nobody restarted", async () => {
  const [node] = present;
  if (!node) throw new Error("Node is always there");
  const service = await start(node, "echo");
  try {
    const control = controlClient({ url: system.url, token: system.controlToken });
    await control.publish({ service: "echo", profile: "default" }, { content: { greeting: "published" } });
    await vi.waitFor(async () => expect((await echo("echo")).greeting).toBe("published"), {
      timeout: 5_000,
      interval: 20,
    });
  } finally {
    await service.kill();
  }
});

test("the time that changes took to spread is among the metrics that the monitor shows", async () => {
  await vi.waitFor(
    async () => {
      const response = await fetch(`${system.url}/monitor/metrics`);
      const { items } = (await response.json()) as { items: Record<string, unknown>[] };
      const spreading = items.find(
        ({ service, metric }) => service === "gateway" && metric === "skerry.control.propagation",
      );
      expect(spreading).toMatchObject({ unit: "s", kind: "histogram", p50: expect.any(Number) });
    },
    { timeout: 5_000, interval: 200 },
  );
});
