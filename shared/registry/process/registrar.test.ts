import { expect, test } from "vitest";
import { virtualTime } from "#test/fake/virtual-time.ts";
import { type RegistrarOptions, type RegistrarProblem, registrar } from "./registrar.ts";

type Answer = () => Response | Promise<Response>;

const accepted: Answer = () => Response.json({});
const answering =
  (status: number): Answer =>
  () =>
    Response.json({ detail: `status ${status}` }, { status });
const away: Answer = () => Promise.reject(new Error("connection refused"));

/** A process whose registry gives these answers in turn, the last one for ever. */
const processAgainst = (answers: readonly Answer[], options: Partial<RegistrarOptions> = {}) => {
  const time = virtualTime(0);
  const asked: { method: string; at: number; request: Request }[] = [];
  const problems: RegistrarProblem[] = [];
  const script = [...answers];
  const registration = registrar({
    gatewayUrl: "https://shop.example",
    token: "secret",
    service: "echo",
    id: "a/1",
    version: "1.2.3",
    url: "http://10.0.0.7:8080",
    ttlSeconds: 15,
    clock: time.clock,
    sleep: time.sleep,
    random: () => 1,
    onProblem: (problem) => problems.push(problem),
    fetch: async (request) => {
      asked.push({ method: request.method, at: time.clock(), request });
      const answer = script.length > 1 ? script.shift() : script[0];
      return (answer ?? accepted)();
    },
    ...options,
  });
  return {
    registration,
    time,
    asked,
    problems,
    asks: () => asked.map(({ method, at }) => `${method} ${at}`),
    answersFromNowOn: (answer: Answer) => script.splice(0, script.length, answer),
  };
};

test("what it registers is on the wire, with its token", async () => {
  const { registration, asked } = processAgainst([accepted], { zone: "eu", weight: 2, metadata: { a: "b" } });
  await registration.start();
  const request = asked[0]?.request;
  expect(request?.url).toBe("https://shop.example/control/v1/registry/echo/instances/a%2F1");
  expect(request?.method).toBe("PUT");
  expect(request?.headers.get("authorization")).toBe("Bearer secret");
  expect(await request?.json()).toEqual({
    version: "1.2.3",
    url: "http://10.0.0.7:8080",
    zone: "eu",
    weight: 2,
    metadata: { a: "b" },
    ttlSeconds: 15,
  });
  expect(registration.state()).toBe("registered");
});

test("it renews every third of its lease", async () => {
  const { registration, time, asks } = processAgainst([accepted]);
  await registration.start();
  await time.pass(15_000);
  expect(asks()).toEqual(["PUT 0", "PUT 5000", "PUT 10000", "PUT 15000"]);
});

test("jitter only makes renewals come sooner", async () => {
  const { registration, time, asks } = processAgainst([accepted], { random: () => 0 });
  await registration.start();
  await time.pass(8_000);
  expect(asks()).toEqual(["PUT 0", "PUT 3750", "PUT 7500"]);
});

test("it goes on over failures with growing pauses, and tells of the first one only", async () => {
  const { registration, time, asked, problems } = processAgainst([accepted, away]);
  await registration.start();
  await time.pass(60_000);
  const pauses = asked.map(({ at }, index) => at - (asked[index - 1]?.at ?? 0)).slice(2);
  expect(pauses.slice(0, 7)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000]);
  expect(Math.max(...pauses)).toBe(5_000);
  expect(problems).toEqual([{ kind: "unreachable", message: expect.stringContaining("connection refused") }]);
});

test("after an outage that was longer than its lease it is registered anew", async () => {
  const { registration, time, answersFromNowOn } = processAgainst([accepted]);
  await registration.start();
  answersFromNowOn(answering(503));
  await time.pass(14_999);
  expect(registration.state()).toBe("registered");
  await time.pass(60_000);
  expect(registration.state()).toBe("registering");
  answersFromNowOn(accepted);
  await time.pass(5_000);
  expect(registration.state()).toBe("registered");
});

test.each([400, 401, 403, 404, 409, 422])("%i is final and told with what was answered", async (status) => {
  const { registration, time, asks, problems } = processAgainst([answering(status)]);
  await registration.start();
  await time.pass(60_000);
  expect(registration.state()).toBe("refused");
  expect(asks()).toEqual(["PUT 0"]);
  expect(problems).toEqual([
    { kind: "refused", message: expect.stringContaining(`it answered ${status}, expected 2xx`) },
  ]);
  expect(problems[0]?.message).not.toContain("secret");
});

test.each([408, 429, 500, 503])("%i is tried again", async (status) => {
  const { registration, time } = processAgainst([answering(status), accepted]);
  const starting = registration.start();
  await time.pass(100);
  await starting;
  expect(registration.state()).toBe("registered");
});

test("a start does not wait for an absent registry longer than ten seconds, and goes on by itself", async () => {
  const { registration, time, answersFromNowOn } = processAgainst([away]);
  let isStarted = false;
  const starting = registration.start().then(() => {
    isStarted = true;
  });
  await time.pass(9_999);
  expect(isStarted).toBe(false);
  await time.pass(1);
  await starting;
  expect(registration.state()).toBe("registering");
  answersFromNowOn(accepted);
  await time.pass(5_000);
  expect(registration.state()).toBe("registered");
});

test("a drain removes it, waits until everyone knows, then for the last request", async () => {
  const { registration, time, asks } = processAgainst([accepted]);
  let inFlight = 2;
  await registration.start();
  let isDrained = false;
  const draining = registration.drain({ graceMs: 20_000, inFlight: () => inFlight }).then(() => {
    isDrained = true;
  });
  await time.pass(6_000);
  expect([registration.state(), isDrained]).toEqual(["draining", false]);
  inFlight = 0;
  await time.pass(50);
  await draining;
  expect(registration.state()).toBe("drained");
  await time.pass(60_000);
  expect(asks()).toEqual(["PUT 0", "DELETE 0"]);
});

test("an idle process waits out the spreading all the same: requests may still be on their way", async () => {
  const { registration, time } = processAgainst([accepted]);
  await registration.start();
  let isDrained = false;
  void registration.drain({ graceMs: 20_000 }).then(() => {
    isDrained = true;
  });
  await time.pass(2_999);
  expect(isDrained).toBe(false);
  await time.pass(1);
  expect(isDrained).toBe(true);
});

test("the grace ends a drain whose requests do not end", async () => {
  const { registration, time } = processAgainst([accepted]);
  await registration.start();
  const draining = registration.drain({ graceMs: 7_000, inFlight: () => 1 });
  await time.pass(7_000);
  await draining;
  expect([registration.state(), time.clock()]).toEqual(["drained", 7_000]);
});

test("an operator who drains it is told of, and not worked against", async () => {
  const { registration, time, asks, problems } = processAgainst([
    accepted,
    () => Response.json({ state: "draining" }),
  ]);
  await registration.start();
  await time.pass(60_000);
  expect([registration.state(), asks()]).toEqual(["drained", ["PUT 0", "PUT 5000"]]);
  expect(problems).toEqual([{ kind: "draining", message: expect.stringContaining('"a/1"') }]);
});

test("metadata that reads like a drain is none", async () => {
  const { registration, time } = processAgainst([() => Response.json({ metadata: { state: "draining" } })]);
  await registration.start();
  await time.pass(5_000);
  expect(registration.state()).toBe("registered");
});

test("an id that still drains from its last life is waited for", async () => {
  const { registration, time } = processAgainst([() => Response.json({ state: "draining" }), accepted]);
  const starting = registration.start();
  await time.pass(100);
  await starting;
  expect(registration.state()).toBe("registered");
});

test("the registry tells of the drain for as long as the grace lasts", async () => {
  const { registration, time, asked } = processAgainst([accepted]);
  await registration.start();
  const draining = registration.drain({ graceMs: 29_001 });
  await time.pass(30_000);
  await draining;
  const request = asked.at(-1)?.request;
  expect(new URL(request?.url ?? "").search).toBe("?drainSeconds=30");
  // A body that is announced and does not come is refused.
  expect(request?.headers.get("content-type")).toBeNull();
});

test("a removal that fails is tried again within the grace", async () => {
  const { registration, time, asks, answersFromNowOn } = processAgainst([accepted]);
  await registration.start();
  answersFromNowOn(away);
  const draining = registration.drain({ graceMs: 1_000 });
  await time.pass(1_000);
  await draining;
  expect(asks()).toEqual(["PUT 0", "DELETE 0", "DELETE 100", "DELETE 300", "DELETE 700"]);
});

test("an instance that the registry no longer has is removed", async () => {
  const { registration, time, problems } = processAgainst([accepted, answering(404)]);
  await registration.start();
  const draining = registration.drain({ graceMs: 10_000 });
  await time.pass(3_000);
  await draining;
  expect([registration.state(), problems]).toEqual(["drained", []]);
});

test("a renewal under way ends before the removal leaves: it would register the process again", async () => {
  let answer: (response: Response) => void = () => {};
  const slow: Answer = () => new Promise<Response>((resolve) => (answer = resolve));
  const { registration, time, asks } = processAgainst([accepted, slow, accepted]);
  await registration.start();
  await time.pass(5_000);
  void registration.drain({ graceMs: 10_000 });
  await time.pass(1_000);
  expect(asks()).toEqual(["PUT 0", "PUT 5000"]);
  answer(new Response());
  await time.settle();
  expect(asks()).toEqual(["PUT 0", "PUT 5000", "DELETE 6000"]);
});

test("closing stops the renewals and leaves no sleeper behind", async () => {
  const { registration, time, asks } = processAgainst([accepted]);
  await registration.start();
  registration.close();
  await time.pass(60_000);
  expect([registration.state(), asks()]).toEqual(["closed", ["PUT 0"]]);
  await expect(time.until(() => false)).rejects.toThrow("nothing more happens");
});
