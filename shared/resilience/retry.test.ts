import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { err, ok } from "../result.ts";
import { deadlineInVirtualTime } from "./deadline-in-virtual-time.ts";
import { type Attempt, DEFAULT_RETRY_POLICY, type RetryOptions, retrying } from "./retry.ts";
import { retryBudget } from "./retry-budget.ts";

type Refusal = "unreachable" | "open";

/** What each attempt ends with: a status, with a Retry-After, an answer, or a refusal. */
type Script = number | { status: number; retryAfter: string } | Response | Refusal;

const setUp = (
  script: readonly Script[],
  changes: Partial<RetryOptions<Refusal>> = {},
  deadlineMs = 1_000,
) => {
  const time = virtualTime();
  const client = new AbortController();
  const begun: number[] = [];
  const cancelled: number[] = [];
  const signals = new Set<AbortSignal>();
  const startMs = time.clock();

  const attempt: Attempt<Refusal> = async (n, signal) => {
    signals.add(signal);
    begun.push(time.clock() - startMs);
    const ending = script[n - 1] ?? 200;
    if (typeof ending === "string") return err(ending);
    if (ending instanceof Response) return ok(ending);
    const { status, retryAfter } = typeof ending === "number" ? { status: ending, retryAfter: "" } : ending;
    const body = new ReadableStream({ cancel: () => void cancelled.push(n) });
    return ok(new Response(body, { status, headers: retryAfter ? { "retry-after": retryAfter } : {} }));
  };

  const run = () =>
    retrying(attempt, {
      policy: { ...DEFAULT_RETRY_POLICY, backoffMs: 100 },
      safe: true,
      curable: (refusal) => refusal === "unreachable",
      budget: retryBudget(time.clock),
      deadline: deadlineInVirtualTime(time, { ms: deadlineMs, client: client.signal }),
      expectedMs: 0,
      clock: time.clock,
      random: () => 0.5,
      sleep: time.sleep,
      ...changes,
    });

  /** The status or refusal that comes of it. */
  const end = async () => {
    let result: Awaited<ReturnType<typeof run>> | undefined;
    const done = run().then((outcome) => {
      result = outcome;
    });
    await time.until(() => result !== undefined);
    await done;
    if (!result) throw new Error("Trying again: expected an outcome.");
    return { result, ending: result.ok ? result.value.status : result.error, attempts: result.attempts };
  };
  return { time, client, begun, cancelled, signals, run, end };
};

test.each<[string, Script[], number | Refusal, number]>([
  ["an answer at once is the answer", [200], 200, 1],
  ["503, 200: the second one's", [503, 200], 200, 2],
  ["502, 504, 200: the third one's", [502, 504, 200], 200, 3],
  ["three times 503: the last one", [503, 503, 503, 200], 503, 3],
  ["500 is not tried again", [500, 200], 500, 1],
  ["429 is not tried again", [429, 200], 429, 1],
  ["no answer is tried again", ["unreachable", 200], 200, 2],
  ["what another attempt cannot cure is not", ["open", 200], "open", 1],
  ["503, then nothing: the last outcome", [503, "unreachable", "unreachable"], "unreachable", 3],
])("%s", async (_, script, ending, attempts) => {
  expect(await setUp(script).end()).toMatchObject({ ending, attempts });
});

test("what is not safe is tried once, whatever becomes of it", async () => {
  expect(await setUp([503, 200], { safe: false }).end()).toMatchObject({ ending: 503, attempts: 1 });
  expect(await setUp(["unreachable", 200], { safe: false }).end()).toMatchObject({ attempts: 1 });
});

test("all attempts have one signal", async () => {
  const { end, signals } = setUp([503, 503, 503]);
  await end();
  expect(signals.size).toBe(1);
});

test("bodies of answers that are tried again are cancelled, the last one's is not", async () => {
  const { end, cancelled } = setUp([503, 503, 503]);
  const { result } = await end();
  expect(cancelled).toEqual([1, 2]);
  expect(result.ok && result.value.bodyUsed).toBe(false);
});

test("a body that cannot be cancelled does not hinder the next attempt", async () => {
  const locked = new Response("locked", { status: 503 });
  locked.body?.getReader();
  expect(await setUp([locked, 200]).end()).toMatchObject({ ending: 200, attempts: 2 });
});

describe("the pause", () => {
  it("is anything up to a bound that doubles", async () => {
    const policy = { ...DEFAULT_RETRY_POLICY, attempts: 5, backoffMs: 100, backoffMaxMs: 300 };
    const pausesFor = async (random: number) => {
      const { end, begun } = setUp([503, 503, 503, 503, 503], { policy, random: () => random }, 10_000);
      await end();
      return begun.slice(1).map((at, n) => Math.round(at - (begun[n] ?? 0)));
    };
    expect(await pausesFor(0)).toEqual([0, 0, 0, 0]);
    expect(await pausesFor(0.5)).toEqual([50, 100, 150, 150]);
    expect(await pausesFor(1)).toEqual([100, 200, 300, 300]);
  });

  it("is what Retry-After wants and the jitter", async () => {
    const { end, begun } = setUp([{ status: 503, retryAfter: "2" }, 200], {}, 5_000);
    expect(await end()).toMatchObject({ ending: 200, attempts: 2 });
    expect(begun).toEqual([0, 2_050]);
  });

  it("that Retry-After wants beyond the deadline ends the trying", async () => {
    const { end, cancelled } = setUp([{ status: 503, retryAfter: "2" }, 200], {}, 2_000);
    const { result, attempts } = await end();
    expect(attempts).toBe(1);
    expect(result.ok && result.value.headers.get("retry-after")).toBe("2");
    expect(cancelled).toEqual([]);
  });
});

describe("the deadline", () => {
  it("leaves no attempt begun that cannot end in time", async () => {
    const late = setUp([503, 200], { expectedMs: 950 });
    expect(await late.end()).toMatchObject({ ending: 503, attempts: 1 });
    const early = setUp([503, 200], { expectedMs: 949 });
    expect(await early.end()).toMatchObject({ ending: 200, attempts: 2 });
  });

  it("that has passed ends the trying", async () => {
    expect(await setUp(["unreachable", 200], {}, 0).end()).toMatchObject({ attempts: 1 });
  });
});

describe("a client that goes away", () => {
  it("during a pause ends it at once, with the answer as it came and the token given back", async () => {
    const given: string[] = [];
    const budget = {
      earn: () => void given.push("earn"),
      take: () => given.push("take") > 0,
      giveBack: () => void given.push("give back"),
    };
    const { time, client, run, cancelled, begun } = setUp(
      [{ status: 503, retryAfter: "5" }],
      { budget },
      60_000,
    );
    const outcome = run();
    await time.pass(100);
    client.abort("gone");
    expect(await outcome).toMatchObject({ ok: true, value: { status: 503 }, attempts: 1 });
    expect(given).toEqual(["earn", "take", "give back"]);
    expect(cancelled).toEqual([]);
    expect(begun).toEqual([0]);
  });

  it("during an attempt ends the trying", async () => {
    const { client, end } = setUp(["unreachable", 200]);
    client.abort("gone");
    expect(await end()).toMatchObject({ ending: "unreachable", attempts: 1 });
  });
});

describe("the budget", () => {
  it("that is empty ends the trying", async () => {
    const budget = retryBudget(() => 0, { ratio: 0, perSecond: 0, cap: 1 });
    expect(await setUp([503, 503, 200], { budget }).end()).toMatchObject({ ending: 503, attempts: 2 });
  });

  it("is earned by every first attempt, also by those that may not be tried again", async () => {
    const budget = retryBudget(() => 0, { ratio: 0.5, perSecond: 0, cap: 1 });
    budget.take();
    await setUp([200], { budget, safe: false }).end();
    await setUp([503], { budget, safe: false }).end();
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });
});

test("however upstreams fail, attempts, budget and deadline hold and every given-up body is cancelled", async () => {
  const ending = fc.oneof(
    fc.constantFrom<Script>(200, 404, 500, 502, 503, 504, "unreachable", "open"),
    fc.record({ status: fc.constantFrom(429, 503), retryAfter: fc.constantFrom("0", "1", "9", "x") }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(ending, { maxLength: 6 }),
      fc.record({ attempts: fc.integer({ min: 1, max: 5 }), cap: fc.integer({ min: 0, max: 4 }) }),
      fc.integer({ min: 1, max: 3_000 }),
      async (script, { attempts: most, cap }, deadlineMs) => {
        const budget = retryBudget(() => 0, { ratio: 0, perSecond: 0, cap });
        const policy = { ...DEFAULT_RETRY_POLICY, attempts: most };
        const { end, begun, cancelled } = setUp(script, { budget, policy }, deadlineMs);
        const { ending: last, attempts } = await end();
        expect(attempts).toBe(begun.length);
        expect(attempts).toBeLessThanOrEqual(Math.min(most, 1 + cap));
        expect(Math.max(...begun)).toBeLessThan(deadlineMs);
        const expected = script[attempts - 1] ?? 200;
        expect(last).toEqual(typeof expected === "object" ? expected.status : expected);
        const answered = script
          .slice(0, attempts - 1)
          .flatMap((each, n) => (typeof each === "string" ? [] : [n + 1]));
        expect(cancelled).toEqual(answered);
      },
    ),
    { numRuns: 200 },
  );
});

test("an answer that is final is not tried again, whatever its status", async () => {
  const { end } = setUp([503, 502, 200], { final: ({ status }) => status === 502 });
  expect(await end()).toMatchObject({ ending: 502, attempts: 2 });
});

test.each([
  [true, 50],
  [false, 3_050],
])("a Retry-After is waited for unless the next attempt goes elsewhere (%s)", async (elsewhere, beganMs) => {
  const { end, begun } = setUp([{ status: 503, retryAfter: "3" }], { elsewhere: () => elsewhere }, 10_000);
  await end();
  expect(begun).toEqual([0, beganMs]);
});
