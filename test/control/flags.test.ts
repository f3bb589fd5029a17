/** Feature flags as a running service evaluates them: how soon a change reaches it, and what it waits for. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ManyIsolates, startManyIsolates } from "./many-isolates.ts";

const SOON = { timeout: 5_000, interval: 50 };
const KEYS = Array.from({ length: 200 }, (_, index) => `customer-${index}`);

let ground: ManyIsolates;

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 0, gateways: 1, serving: 2, lagMs: 0 });
});
afterAll(() => ground?.close());

const setFlag = async (flag: unknown): Promise<void> => {
  const answer = await ground.call("/documents/serving/default", {
    method: "PUT",
    body: { content: { flags: { beta: flag } } },
    headers: { "if-match": "*" },
  });
  expect(answer.ok, await answer.text()).toBe(true);
};

const isOn = async (isolate: string, key: string): Promise<boolean> => {
  const response = await fetch(`${isolate}/serving/v1/flags/beta?key=${key}`);
  return ((await response.json()) as { on: boolean }).on;
};

/** Who has the flag, in every isolate the same. */
const holders = async (): Promise<readonly string[]> => {
  const [first, ...others] = await Promise.all(
    ground.serving.map(async (isolate) => {
      const on = await Promise.all(KEYS.map((key) => isOn(isolate, key)));
      return KEYS.filter((_, index) => on[index]);
    }),
  );
  for (const other of others) expect(other).toEqual(first);
  return first ?? [];
};

test("a rule on the targeting key, and then a percentage, reach every isolate within seconds", async () => {
  await ground.call("/documents/serving/default", { method: "PUT", body: { content: {} } });
  expect(await holders()).toEqual([]);

  const chosen = ["customer-3", "customer-150"];
  await setFlag({ rules: [{ if: [{ attribute: "targetingKey", in: chosen }], serve: "on" }], serve: "off" });
  await vi.waitFor(async () => expect(await holders()).toEqual(chosen), SOON);

  await setFlag({ percentage: 25 });
  await vi.waitFor(async () => expect((await holders()).length).toBeGreaterThan(2), SOON);
  const quarter = await holders();
  expect(quarter.length).toBeGreaterThan(25);
  expect(quarter.length).toBeLessThan(75);

  await setFlag({ percentage: 60 });
  await vi.waitFor(async () => expect((await holders()).length).toBeGreaterThan(75), SOON);
  const more = await holders();
  expect(quarter.filter((key) => !more.includes(key))).toEqual([]);
});

test("evaluating goes on as it was and waits for nothing while the control worker is silent", async () => {
  await setFlag({
    rules: [{ if: [{ attribute: "targetingKey", in: KEYS.slice(0, 7) }], serve: "on" }],
    serve: "off",
  });
  await vi.waitFor(async () => expect(await holders()).toEqual(KEYS.slice(0, 7)), SOON);
  await ground.switchControl("silent");
  try {
    const [isolate = ""] = ground.serving;
    const tookMs: number[] = [];
    const until = performance.now() + 3_500;
    for (let turn = 0; performance.now() < until; turn++) {
      const key = KEYS[turn % KEYS.length] ?? "";
      const from = performance.now();
      expect(await isOn(isolate, key)).toBe(turn % KEYS.length < 7);
      tookMs.push(performance.now() - from);
    }
    // A look is given up after a second: whoever waited for one would stand out.
    expect(Math.max(...tookMs)).toBeLessThan(500);
    expect(tookMs.length).toBeGreaterThan(100);
  } finally {
    await ground.switchControl("on");
  }
});
