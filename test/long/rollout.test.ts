/** Roll-outs as operators and clients meet them: who has the candidate, who does not, and how it ends. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ADMIN_TOKEN, type ManyIsolates, startManyIsolates } from "../control/many-isolates.ts";
import { type Ran, runCommand } from "../setup/run-command.ts";

/** So many that no chance puts all of them on one side: at 50 % once in thirty thousand runs. */
const ISOLATES = 16;
const SOON = { timeout: 8_000, interval: 50 };
/** A step that outlasts its test. */
const LONG_S = 600;

let ground: ManyIsolates;
/** Each test publishes marks of its own. */
let lastMark = 0;

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 0, gateways: 2, serving: ISOLATES, lagMs: 0 });
});
afterAll(() => ground?.close());
afterEach(async () => {
  // One that a test left under way would keep the next one from publishing.
  await (await ground.call("/rollouts/serving/default", { method: "DELETE" })).body?.cancel();
});

const skerry = (...args: string[]): Promise<Ran> =>
  runCommand(args, {
    env: { SKERRY_URL: ground.gateways[0] ?? "", SKERRY_TOKEN: ADMIN_TOKEN },
    cwd: import.meta.dirname,
  });

const expectDone = ({ code, err }: Ran): void => expect({ code, err }).toEqual({ code: 0, err: "" });

const json = async (...args: string[]) => {
  const ran = await skerry(...args, "--json");
  expectDone(ran);
  return JSON.parse(ran.out);
};

const publish = async (content: object, rollout?: object): Promise<void> => {
  const answer = await ground.call("/documents/serving/default", {
    method: "PUT",
    body: { content, ...(rollout && { rollout }) },
    ...(lastMark > 1 && { headers: { "if-match": "*" } }),
  });
  expect(answer.ok, await answer.text()).toBe(true);
};

interface Marked {
  readonly status: number;
  readonly mark: number | undefined;
  /** The answer's own word on its arm. */
  readonly arm: string | undefined;
}

const ask = async (origin: string, key?: string): Promise<Marked> => {
  const query = key === undefined ? "" : `?key=${key}`;
  const response = await fetch(`${origin}/serving/v1/mark${query}`);
  const body = (await response.json()) as { mark?: number };
  const arm = /; arm=(\w+)$/.exec(response.headers.get("skerry-config") ?? "")?.[1];
  return { status: response.status, mark: body.mark, arm };
};

const askEach = (key?: string): Promise<Marked[]> =>
  Promise.all(ground.serving.map((isolate) => ask(isolate, key)));

const marksOfEach = async (key?: string) => (await askEach(key)).map(({ mark }) => mark);

const everyoneHas = (mark: number) =>
  vi.waitFor(async () => expect(new Set(await marksOfEach())).toEqual(new Set([mark])), SOON);

/** In or out of a roll-out, as far as every isolate knows: with a key, both kinds are told apart. */
const everyoneIs = (where: "in" | "out") =>
  vi.waitFor(async () => {
    for (const { arm } of await askEach("anyone")) expect(arm === undefined ? "out" : "in").toBe(where);
  }, SOON);

/** All isolates go by the document of that mark, and know of no roll-out. */
const startingPoint = async (): Promise<number> => {
  const mark = ++lastMark;
  await publish({ mark });
  await everyoneHas(mark);
  await everyoneIs("out");
  return mark;
};

interface Load {
  readonly answers: readonly Marked[];
  stop(): Promise<void>;
}

/** Asks through every gateway, from two clients each, until it is stopped. */
const load = (keyOf: (turn: number) => string | undefined = () => undefined): Load => {
  const answers: Marked[] = [];
  const stop = new AbortController();
  const clients = [...ground.gateways, ...ground.gateways].map(async (gateway, client) => {
    for (let turn = 0; !stop.signal.aborted; turn++) {
      answers.push(await ask(gateway, keyOf(turn * 4 + client)));
      await pause(5);
    }
  });
  return {
    answers,
    stop: async () => {
      stop.abort();
      await Promise.all(clients);
    },
  };
};

const newest = async (): Promise<Record<string, unknown>> =>
  (await json("config", "history", "serving", "--limit", "1")).items[0];

describe("a roll-out by isolate", () => {
  test("gives the candidate to some isolates and not to others, always the same, until everyone gets it", async () => {
    const stable = await startingPoint();
    const candidate = ++lastMark;
    const set = [
      "config",
      "set",
      "serving",
      "mark",
      `${candidate}`,
      "--rollout",
      "50",
      "--every",
      `${LONG_S}`,
    ];
    const started = await skerry(...set);
    expect(started).toMatchObject({ code: 0, out: expect.stringContaining("is rolled out") });
    await everyoneIs("in");
    const first = await askEach();
    expect(new Set(first.map(({ mark }) => mark))).toEqual(new Set([stable, candidate]));
    for (const { mark, arm } of first) expect(arm).toBe(mark === candidate ? "candidate" : "stable");
    for (let round = 0; round < 30; round++) {
      expect(await askEach()).toEqual(first);
      await pause(50);
    }

    expectDone(await skerry("rollout", "set", "serving", "0"));
    await everyoneHas(stable);
    expectDone(await skerry("rollout", "set", "serving", "50"));
    await vi.waitFor(async () => expect(await askEach()).toEqual(first), SOON);

    const given = await skerry("rollout", "set", "serving", "100");
    expect(given).toMatchObject({ code: 0, out: "serving/default: the candidate is the document now\n" });
    await everyoneHas(candidate);
    expect(await newest()).toMatchObject({ kind: "promoted", author: "admin" });
    expect(await json("rollout", "list")).toEqual({ items: [] });
  });

  test("that is aborted leaves everyone the document, and there is nothing left to abort", async () => {
    const stable = await startingPoint();
    const set = ["config", "set", "serving", "mark", `${++lastMark}`, "--rollout", "50"];
    expectDone(await skerry(...set));
    await everyoneIs("in");
    expectDone(await skerry("rollout", "abort", "serving"));
    await everyoneHas(stable);
    expect(await newest()).toMatchObject({ kind: "withdrawn", author: "admin" });
    expect((await skerry("rollout", "abort", "serving")).code).toBe(3);
  });

  test("goes on step by step by itself, and ends as the document", async () => {
    await startingPoint();
    const candidate = ++lastMark;
    expectDone(
      await skerry("config", "set", "serving", "mark", `${candidate}`, "--rollout", "10,60", "--every", "2"),
    );
    const shares = new Set<number>();
    await vi.waitFor(async () => {
      const { items } = await json("rollout", "list");
      if (items[0]) shares.add(items[0].percentage);
      expect(items).toEqual([]);
    }, SOON);
    expect([...shares]).toEqual([10, 60]);
    await everyoneHas(candidate);
    expect(await newest()).toMatchObject({ kind: "promoted", author: "control-plane" });
  });
});

test("a roll-out by key gives a key the same side in every isolate, and keeps who had it when the share grows", async () => {
  const stable = await startingPoint();
  const candidate = ++lastMark;
  const by = ["--by", "key", "--rollout", "30", "--every", `${LONG_S}`];
  expectDone(await skerry("config", "set", "serving", "mark", `${candidate}`, ...by));
  await everyoneIs("in");
  const keys = Array.from({ length: 60 }, (_, index) => `customer-${index}`);
  const holders = async () => {
    const having = new Set<string>();
    for (const key of keys) {
      const [mark, ...others] = new Set(await marksOfEach(key));
      expect(others, `${key} gets the same everywhere`).toEqual([]);
      if (mark === candidate) having.add(key);
    }
    return having;
  };
  const atFirst = await holders();
  expect(atFirst.size).toBeGreaterThan(6);
  expect(atFirst.size).toBeLessThan(34);
  expect(new Set(await marksOfEach())).toEqual(new Set([stable]));

  expectDone(await skerry("rollout", "set", "serving", "80"));
  const later = await vi.waitFor(async () => {
    const now = await holders();
    expect(now.size).toBeGreaterThan(34);
    return now;
  }, SOON);
  expect([...atFirst].filter((key) => !later.has(key))).toEqual([]);
});

describe("a candidate that breaks the service", () => {
  /** Publishes it under traffic, and waits until it is gone. */
  const breakUnderLoad = async (by: "isolate" | "key", percentage: number) => {
    const stable = await startingPoint();
    const keyOf = (turn: number) => (by === "key" ? `customer-${turn}` : undefined);
    const traffic = load(keyOf);
    try {
      const rollout = { by, steps: [{ percentage, seconds: LONG_S }], errorRateRise: 0.05 };
      const from = performance.now();
      await publish({ mark: ++lastMark, broken: true }, rollout);
      const broken = new Set<number>();
      await vi.waitFor(async () => {
        for (const [isolate, { arm }] of (await askEach()).entries()) {
          if (arm === "candidate") broken.add(isolate);
        }
        expect(await json("rollout", "list")).toEqual({ items: [] });
      }, SOON);
      const withdrawnMs = performance.now() - from;
      await everyoneHas(stable);
      await everyoneIs("out");
      await traffic.stop();
      const afterwards = load(keyOf);
      await vi.waitFor(() => expect(afterwards.answers.length).toBeGreaterThan(100), SOON);
      await afterwards.stop();
      return { stable, answers: traffic.answers, afterwards: afterwards.answers, broken, withdrawnMs };
    } finally {
      await traffic.stop();
    }
  };

  test.each([
    { by: "isolate", percentage: 50 },
    { by: "key", percentage: 20 },
  ] as const)(
    "by $by is withdrawn by itself within seconds, having failed its share of the answers only, and history says why",
    async ({ by, percentage }) => {
      const { stable, answers, afterwards, broken, withdrawnMs } = await breakUnderLoad(by, percentage);
      const under = answers.filter(({ arm }) => arm !== undefined);
      const failed = answers.filter(({ status }) => status !== 200);
      console.log(
        `  by ${by} at ${percentage} %: withdrawn after ${Math.round(withdrawnMs)} ms, ${failed.length} of ${under.length} answers failed`,
      );
      expect(withdrawnMs).toBeLessThan(5_000);
      expect(failed.length).toBeGreaterThan(0);
      for (const { status, arm } of failed)
        expect({ status, arm }).toEqual({ status: 500, arm: "candidate" });
      const expected = by === "isolate" ? broken.size / ISOLATES : percentage / 100;
      // Fewer when the gateway leaves out instances that fail.
      expect(failed.length / under.length).toBeLessThan(expected + 0.15);
      expect(await newest()).toMatchObject({
        kind: "withdrawn",
        author: "control-plane",
        reason: expect.stringMatching(/^went back by itself: \d+ of \d+ answers failed \(100\.0 %\)/),
      });
      for (const { status, mark } of afterwards)
        expect({ status, mark }).toEqual({ status: 200, mark: stable });
    },
  );
});
