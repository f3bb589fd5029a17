import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import { err } from "#shared/result.ts";
import type { ActorSql } from "#shared/runtime/actor.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import type { Ledger } from "../part.ts";
import type { ProbeResult } from "./instance-life.ts";
import type { HealthCheck, Registration } from "./registration.ts";
import { registryStore } from "./registry-store.ts";

const START = Date.UTC(2026, 0, 1);
const WELL: ProbeResult = { ok: true };
const ILL: ProbeResult = { ok: false };
const CHECK: HealthCheck = { path: "/healthz", intervalSeconds: 5, timeoutMs: 1_000, rise: 2, fall: 3 };

const fakeLedger = (sql: ActorSql): Ledger => {
  let epoch = 0;
  return {
    epoch: () => epoch,
    changedAt: () => START,
    async change(work) {
      await Promise.resolve();
      try {
        return sql.transaction(() => {
          const result = work(epoch + 1);
          if (!result.ok) throw result;
          epoch += 1;
          return result;
        });
      } catch (thrown) {
        if (typeof thrown === "object" && thrown !== null && "error" in thrown)
          return err(thrown.error) as never;
        throw thrown;
      }
    },
  };
};

const registration = (change: Partial<Registration> = {}): Registration => ({
  version: "1.0.0",
  url: "http://10.0.0.1:8080",
  weight: 100,
  metadata: {},
  ttlSeconds: 3_600,
  health: CHECK,
  state: "up",
  ...change,
});
const bound = (change: Partial<Registration> = {}) =>
  registration({ url: undefined, ttlSeconds: undefined, binding: "ORDERS", ...change });
const leased = (ttlSeconds: number) => registration({ health: false, ttlSeconds });

type Answer = ProbeResult | (() => Promise<ProbeResult>);

/** @param quick whether instances answer while their registration waits; else the alarm asks them */
const harness = (options: Partial<Parameters<typeof registryStore>[0]> = {}, { quick = false } = {}) => {
  const database = new DatabaseSync(":memory:");
  const sql = nodeSql(database);
  const ledger = fakeLedger(sql);
  let now = START;
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const open = () =>
    registryStore({
      sql,
      ledger,
      clock: () => now,
      random: () => 0.5,
      async probe({ id }, { timeoutMs }) {
        if (timeoutMs === LIMITS.registryFirstProbeMs && !quick) return ILL;
        asked.push(id);
        const answer = answers.get(id) ?? WELL;
        return typeof answer === "function" ? answer() : answer;
      },
      allowedHosts: "10.0.*.*:*",
      bindings: ["ORDERS"],
      ...options,
    });
  const store = open();
  const state = (service: string, id: string) =>
    store
      .all()
      .find((entry) => entry.service === service)
      ?.instances.find((instance) => instance.id === id)?.state;
  return {
    store,
    open,
    ledger,
    answers,
    asked,
    state,
    now: () => now,
    put: (service: string, id: string, what = registration()) =>
      store.methods.registerInstance({ service, id, registration: what }),
    /** Time goes by, and whatever is due by then happens when it is due. */
    async pass(ms: number) {
      const end = now + ms;
      for (let due = store.due(); due !== undefined && due <= end; due = store.due()) {
        now = Math.max(now, due);
        await store.run();
      }
      now = end;
    },
    /** Time goes by and nothing happens: the control plane is away. */
    away(ms: number) {
      now += ms;
    },
  };
};

const ids = (count: number) => Array.from({ length: count }, (_, index) => `i${index}`);

describe("a new instance", () => {
  test("is starting, is probed at once, and is up after its first success", async () => {
    const { put, state, store, pass, now } = harness();
    const taken = await put("orders", "a");
    expect(taken).toMatchObject({ ok: true, value: { created: true, renewWithinSeconds: 1_200 } });
    expect(state("orders", "a")).toBe("starting");
    expect(store.due()).toBe(now());
    await pass(0);
    expect(state("orders", "a")).toBe("up");
    expect(store.due()).toBe(now() + 5_000);
  });

  test("that answers while its registration waits is up in the very change that tells of it", async () => {
    const { put, ledger, store, now, asked } = harness({}, { quick: true });
    expect(await put("orders", "a")).toMatchObject({ value: { created: true, instance: { state: "up" } } });
    expect(ledger.epoch()).toBe(1);
    expect(store.changedSince(0)).toMatchObject([{ epoch: 1, instances: [{ id: "a", state: "up" }] }]);
    expect(asked).toEqual(["a"]);
    expect(store.due()).toBe(now() + 5_000);
  });

  test("that says it is degraded when it is asked first is degraded at once", async () => {
    const { put, answers } = harness({}, { quick: true });
    answers.set("a", { ok: true, degraded: true });
    expect(await put("orders", "a")).toMatchObject({ value: { instance: { state: "degraded" } } });
  });

  test("that is not well yet when it is asked first is asked again at once, and that was no failure", async () => {
    const { put, answers, state, pass } = harness({}, { quick: true });
    answers.set("a", ILL);
    await put("orders", "a", registration({ health: { ...CHECK, fall: 1 } }));
    expect(state("orders", "a")).toBe("starting");
    answers.set("a", WELL);
    await pass(0);
    expect(state("orders", "a")).toBe("up");
  });

  test("that would be refused is not asked", async () => {
    const bounds = {
      services: 1,
      instances: 1,
      instancesPerService: 1,
      servicesGone: 1,
      characters: 1_000_000,
    };
    const { put, asked } = harness({ bounds }, { quick: true });
    await put("orders", "a");
    expect(await put("orders", "b")).toMatchObject({ ok: false, error: { code: "limit_reached" } });
    expect(asked).toEqual(["a"]);
  });

  test("is refused when all together would be too large to travel; who does not grow renews all the same", async () => {
    const one = JSON.stringify({ ...bound(), state: undefined }).length;
    const bounds = {
      services: 9,
      instances: 9,
      instancesPerService: 9,
      servicesGone: 9,
      characters: 2 * one,
    };
    const { put, store, open } = harness({ bounds });
    const large = bound({ metadata: { text: "x".repeat(one) } });
    const refused = { ok: false, error: { code: "limit_reached" } };
    expect(await put("orders", "a", bound())).toMatchObject({ ok: true });
    expect(await put("orders", "b", large)).toMatchObject(refused);
    expect(await put("orders", "a", large)).toMatchObject(refused);
    expect(await put("orders", "b", bound())).toMatchObject({ ok: true });
    expect(await put("orders", "c", bound())).toMatchObject(refused);
    expect(await put("orders", "a", bound({ weight: 200 }))).toMatchObject({ ok: true });
    await store.methods.drainInstance({ service: "orders", id: "b", drainSeconds: 0 });
    open();
    expect(await put("orders", "c", bound())).toMatchObject({ ok: true });
  });

  test("waits for its first probe with five others at most; who comes then is asked by the alarm", async () => {
    const { put, answers, asked, state, pass } = harness({}, { quick: true });
    const release: ((result: ProbeResult) => void)[] = [];
    for (const id of ids(6)) answers.set(id, () => new Promise((resolve) => release.push(resolve)));
    const waiting = ids(6).map((id) => put("orders", id));
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    await put("orders", "late");
    expect([asked.includes("late"), state("orders", "late"), state("orders", "i0")]).toEqual([
      false,
      "starting",
      undefined,
    ]);
    for (const answer of release) answer(WELL);
    await Promise.all(waiting);
    await pass(0);
    expect([state("orders", "late"), state("orders", "i0")]).toEqual(["up", "up"]);
    await put("orders", "after");
    expect(state("orders", "after")).toBe("up");
  });

  test("is up at once when it has a lease only, and is never probed", async () => {
    const { put, state, pass, asked } = harness();
    await put("orders", "a", leased(3_600));
    expect(state("orders", "a")).toBe("up");
    await pass(60_000);
    expect(asked).toEqual([]);
  });

  test("behind a binding has no lease and is probed for ever", async () => {
    const { put, state, pass, asked } = harness();
    expect(await put("orders", "a", bound())).not.toHaveProperty("value.renewWithinSeconds");
    await pass(2 * 3_600_000);
    expect(state("orders", "a")).toBe("up");
    expect(asked.length).toBeGreaterThan(1_400);
  });

  test("that a slow probe goes before is up all the same", async () => {
    const { put, state, store, answers } = harness();
    let release = (_: ProbeResult) => {};
    answers.set(
      "slow",
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    );
    await put("orders", "slow");
    const run = store.run();
    await put("orders", "quick", registration({ url: "http://10.0.0.2" }));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(state("orders", "quick")).toBe("up");
    expect(state("orders", "slow")).toBe("starting");
    release(WELL);
    await run;
    expect(state("orders", "slow")).toBe("up");
  });

  test.each([
    ["http://10.1.0.1", "url_not_allowed"],
    ["http://169.254.169.254", "url_not_allowed"],
  ])("at %s is refused", async (url, code) => {
    const { put, ledger } = harness();
    expect(await put("orders", "a", registration({ url }))).toMatchObject({ ok: false, error: { code } });
    expect(ledger.epoch()).toBe(0);
  });

  test("behind a binding that is not there is refused", async () => {
    const { put } = harness();
    const refused = await put("orders", "a", bound({ binding: "toString" }));
    expect(refused).toMatchObject({ ok: false, error: { code: "binding_not_known" } });
  });
});

describe("probes", () => {
  test.each<{ probes: string; states: string }>([
    { probes: "+", states: "up" },
    { probes: "-+", states: "starting up" },
    { probes: "---", states: "starting starting down" },
    { probes: "---++", states: "starting starting down down up" },
    { probes: "+-", states: "up degraded" },
    { probes: "+-++", states: "up degraded degraded up" },
    { probes: "+-+-+-", states: "up degraded degraded degraded degraded degraded" },
    { probes: "+---", states: "up degraded degraded down" },
    { probes: "+---+-++", states: "up degraded degraded down down down down up" },
    { probes: "+d+", states: "up degraded up" },
    { probes: "d", states: "degraded" },
  ])("of $probes make it $states", async ({ probes, states }) => {
    const { put, state, answers, pass } = harness();
    await put("orders", "a", bound());
    const seen: (string | undefined)[] = [];
    for (const probe of probes) {
      answers.set("a", { ok: probe !== "-", degraded: probe === "d" });
      await pass(seen.length === 0 ? 0 : 5_000);
      seen.push(state("orders", "a"));
    }
    expect(seen.join(" ")).toBe(states);
  });

  test("that never come back, or throw, are failures", async () => {
    const { put, state, answers, pass } = harness();
    answers.set("a", () => Promise.reject(new Error("broken")));
    await put("orders", "a", bound());
    await pass(10_000);
    expect(state("orders", "a")).toBe("down");
  });

  test.each(["replaced", "drained", "removed"] as const)(
    "say nothing of an instance that was %s while they were under way",
    async (how) => {
      const { put, state, store, answers } = harness();
      let release = (_: ProbeResult) => {};
      await put("orders", "a", bound());
      answers.set(
        "a",
        () =>
          new Promise((resolve) => {
            release = resolve;
          }),
      );
      const run = store.run();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      answers.set("a", ILL);
      if (how === "replaced") await put("orders", "a", registration());
      else {
        await store.methods.drainInstance({
          service: "orders",
          id: "a",
          drainSeconds: how === "drained" ? 10 : 0,
        });
      }
      release(WELL);
      await run;
      expect(state("orders", "a")).toBe(
        { replaced: "starting", drained: "draining", removed: undefined }[how],
      );
    },
  );

  test("of a round are written together, under one epoch", async () => {
    const { put, ledger, answers, pass } = harness();
    for (const id of ids(20)) await put("orders", id, bound());
    await pass(0);
    for (const id of ids(10)) answers.set(id, ILL);
    const before = ledger.epoch();
    await pass(5_000);
    expect(ledger.epoch()).toBe(before + 1);
    await pass(4_000);
    expect(ledger.epoch()).toBe(before + 1);
  });

  test.each([
    { to: "bindings", what: bound(), atOnce: 26 },
    { to: "URLs", what: registration(), atOnce: 6 },
  ])("to $to never number more than $atOnce at once, however many are due", async ({ what, atOnce }) => {
    let active = 0;
    let most = 0;
    const { put, store, now, state } = harness({
      async probe(_, { timeoutMs }) {
        if (timeoutMs === LIMITS.registryFirstProbeMs) return ILL;
        most = Math.max(most, ++active);
        await Promise.resolve();
        active -= 1;
        return WELL;
      },
    });
    for (const id of ids(90)) await put("orders", id, what);
    await store.run();
    expect(most).toBe(atOnce);
    expect(store.due()).toBeGreaterThan(now());
    expect(state("orders", "i89")).toBe("up");
  });
});

describe("a lease", () => {
  test("that runs out makes its instance down, forgotten ten minutes later", async () => {
    const { put, state, pass } = harness();
    await put("orders", "a", leased(30));
    await pass(29_999);
    expect(state("orders", "a")).toBe("up");
    await pass(1);
    expect(state("orders", "a")).toBe("down");
    await pass(599_999);
    expect(state("orders", "a")).toBe("down");
    await pass(1);
    expect(state("orders", "a")).toBeUndefined();
  });

  test("that is renewed holds, without a new epoch", async () => {
    const { put, state, pass, ledger } = harness();
    await put("orders", "a", leased(30));
    const before = ledger.epoch();
    for (let renewal = 0; renewal < 5; renewal++) {
      await pass(20_000);
      expect(await put("orders", "a", leased(30))).toMatchObject({ value: { created: false } });
    }
    expect(state("orders", "a")).toBe("up");
    expect(ledger.epoch()).toBe(before);
  });

  test("that is renewed with something new to tell raises the epoch", async () => {
    const { put, ledger, store } = harness();
    await put("orders", "a", leased(30));
    for (const change of [
      { weight: 5 },
      { metadata: { a: "b" } },
      { zone: "z" },
      { state: "degraded" as const },
    ]) {
      const before = ledger.epoch();
      await put("orders", "a", { ...leased(30), ...change });
      expect(ledger.epoch()).toBe(before + 1);
      expect(store.changedSince(before)).toHaveLength(1);
    }
  });

  test("that comes back after it was lost needs as many successes as after any failure", async () => {
    const { put, state, pass } = harness();
    await put("orders", "a", registration({ ttlSeconds: 5 }));
    await pass(5_000);
    expect(state("orders", "a")).toBe("down");
    await put("orders", "a");
    await pass(0);
    expect(state("orders", "a")).toBe("down");
    await pass(5_000);
    expect(state("orders", "a")).toBe("up");
  });

  test("that ended while the control plane was away is given once more, and only once", async () => {
    const { put, state, pass, away, open, now } = harness();
    await put("orders", "a", leased(30));
    away(3_600_000);
    const store = open();
    await store.run();
    expect(state("orders", "a")).toBe("up");
    expect(store.due()).toBe(now() + 30_000);
    away(3_600_000);
    await store.run();
    expect(state("orders", "a")).toBe("down");
    await put("orders", "a", leased(30));
    await pass(30_000);
    expect(state("orders", "a")).toBe("down");
  });
});

describe("draining", () => {
  test("takes new work away at once and forgets the instance later; renewals do not end it", async () => {
    const { put, state, store, pass, now } = harness();
    await put("orders", "a", leased(30));
    const drained = await store.methods.drainInstance({ service: "orders", id: "a", drainSeconds: 10 });
    expect(drained).toEqual({ ok: true, value: { removedAt: now() + 10_000 } });
    expect(state("orders", "a")).toBe("draining");
    await put("orders", "a", leased(30));
    expect(state("orders", "a")).toBe("draining");
    const again = await store.methods.drainInstance({ service: "orders", id: "a", drainSeconds: 100 });
    expect(again).toEqual(drained);
    await pass(10_000);
    expect(state("orders", "a")).toBeUndefined();
  });

  test("ends when the instance says that it starts again, or comes in another version", async () => {
    const { put, state, store } = harness();
    for (const back of [{ state: "starting" as const }, { version: "1.0.1" }]) {
      await put("orders", "a");
      await store.methods.drainInstance({ service: "orders", id: "a", drainSeconds: 10 });
      await put("orders", "a", registration(back));
      expect(state("orders", "a")).toBe("starting");
      await store.methods.drainInstance({ service: "orders", id: "a", drainSeconds: 0 });
      expect(state("orders", "a")).toBeUndefined();
    }
  });

  test("of what is not there is refused", async () => {
    const { store } = harness();
    const refused = await store.methods.drainInstance({ service: "orders", id: "a", drainSeconds: 1 });
    expect(refused).toMatchObject({ ok: false, error: { code: "instance_not_found" } });
  });
});

test("an operator's word stays across renewals and new versions until it is taken back", async () => {
  const { put, state, store, pass } = harness();
  await put("orders", "a", bound());
  await pass(0);
  await store.methods.setInstanceState({ service: "orders", id: "a", state: "out_of_service" });
  await pass(20_000);
  await put("orders", "a", bound());
  expect(state("orders", "a")).toBe("out_of_service");
  await put("orders", "a", bound({ version: "2.0.0" }));
  await pass(0);
  expect(state("orders", "a")).toBe("out_of_service");
  await store.methods.setInstanceState({ service: "orders", id: "a", state: "up" });
  expect(state("orders", "a")).toBe("up");
});

describe("a deployment at an unchanged place", () => {
  test.each([
    ["another version", { version: "1.0.1" }],
    ["another major", { version: "2.0.0" }],
    ["other metadata", { metadata: { colour: "blue" } }],
    ["another weight", { weight: 1 }],
  ])("by %s makes no gap in which nobody is up, and tells of the new one at once", async (_, change) => {
    const { put, state, pass, ledger, store } = harness();
    await put("orders", "a", bound());
    await pass(0);
    const before = ledger.epoch();
    await put("orders", "a", bound(change));
    expect(state("orders", "a")).toBe("up");
    expect(store.changedSince(before)).toMatchObject([{ instances: [change] }]);
  });

  test("asks the new version at once, and what fails there counts as ever", async () => {
    const { put, state, pass, answers, asked } = harness();
    await put("orders", "a", bound());
    await pass(1_000);
    answers.set("a", ILL);
    const before = asked.length;
    await put("orders", "a", bound({ version: "1.0.1" }));
    await pass(0);
    expect(asked.length).toBe(before + 1);
    expect(state("orders", "a")).toBe("degraded");
    await pass(10_000);
    expect(state("orders", "a")).toBe("down");
  });

  test("of one that is down begins anew, and the first success makes it up", async () => {
    const { put, state, pass, answers } = harness();
    answers.set("a", ILL);
    await put("orders", "a", bound());
    await pass(15_000);
    expect(state("orders", "a")).toBe("down");
    answers.set("a", WELL);
    await put("orders", "a", bound({ version: "1.0.1" }));
    await pass(0);
    expect(state("orders", "a")).toBe("up");
  });
});

describe("a mass failure", () => {
  const failing = async (services: Record<string, number>, ill: string[]) => {
    const made = harness();
    for (const [service, count] of Object.entries(services)) {
      for (const id of ids(count)) await made.put(service, `${service}-${id}`, bound());
    }
    await made.pass(0);
    for (const id of ill) made.answers.set(id, ILL);
    await made.pass(15_000);
    return made;
  };

  test.each<{ services: Record<string, number>; ill: string[]; state: string }>([
    { services: { one: 1 }, ill: ["one-i0"], state: "down" },
    { services: { one: 2 }, ill: ["one-i0"], state: "down" },
    { services: { one: 2 }, ill: ["one-i0", "one-i1"], state: "degraded" },
    { services: { one: 4, other: 9 }, ill: ["one-i0", "one-i1"], state: "down" },
    { services: { one: 5, other: 9 }, ill: ["one-i0", "one-i1", "one-i2"], state: "degraded" },
    { services: { one: 1, other: 1 }, ill: ["one-i0", "other-i0"], state: "down" },
    { services: { one: 1, other: 1, third: 1 }, ill: ["one-i0", "other-i0"], state: "degraded" },
    { services: { one: 1, other: 1, third: 1, last: 1 }, ill: ["one-i0", "other-i0"], state: "down" },
  ])("of $ill.length among $services leaves them $state", async ({ services, ill, state }) => {
    const made = await failing(services, ill);
    expect(ill.map((id) => made.state(id.split("-")[0] ?? "", id))).toEqual(ill.map(() => state));
  });

  test("is believed after a minute, and no second time before something recovered", async () => {
    const { state, pass, answers } = await failing({ one: 2 }, ["one-i0", "one-i1"]);
    await pass(59_999);
    expect(state("one", "one-i0")).toBe("degraded");
    await pass(1);
    expect(state("one", "one-i0")).toBe("down");
    await pass(600_000);
    expect(state("one", "one-i0")).toBe("down");
    answers.clear();
    await pass(10_000);
    expect(state("one", "one-i0")).toBe("up");
    for (const id of ["one-i0", "one-i1"]) answers.set(id, ILL);
    await pass(15_000);
    expect(state("one", "one-i0")).toBe("degraded");
  });

  test("that comes one after the other within half a minute takes back the first one's fall", async () => {
    const made = await failing({ one: 2, other: 9 }, ["one-i0"]);
    expect(made.state("one", "one-i0")).toBe("down");
    made.answers.set("one-i1", ILL);
    await made.pass(15_000);
    expect([made.state("one", "one-i0"), made.state("one", "one-i1")]).toEqual(["degraded", "degraded"]);
  });

  test("is none when the falls lie further apart", async () => {
    const made = await failing({ one: 2, other: 9 }, ["one-i0"]);
    await made.pass(30_000);
    made.answers.set("one-i1", ILL);
    await made.pass(15_000);
    expect([made.state("one", "one-i0"), made.state("one", "one-i1")]).toEqual(["down", "down"]);
  });

  test("of what was left after another one is believed at once: nothing recovered between them", async () => {
    const made = await failing({ one: 5, other: 9 }, ["one-i0", "one-i1", "one-i2"]);
    await made.pass(70_000);
    for (const id of ["one-i3", "one-i4"]) made.answers.set(id, ILL);
    await made.pass(15_000);
    expect([made.state("one", "one-i3"), made.state("one", "one-i4")]).toEqual(["down", "down"]);
  });

  test("of everything does not hide for longer what a failure of its service hides already", async () => {
    const made = await failing({ one: 2, c: 1, d: 1, e: 1 }, ["one-i0", "one-i1"]);
    made.answers.set("c-i0", ILL);
    await made.pass(15_000);
    expect([made.state("one", "one-i0"), made.state("c", "c-i0")]).toEqual(["degraded", "degraded"]);
    await made.pass(45_000);
    expect([made.state("one", "one-i0"), made.state("c", "c-i0")]).toEqual(["down", "degraded"]);
    await made.pass(15_000);
    expect(made.state("c", "c-i0")).toBe("down");
  });

  test("of leases is one, too", async () => {
    const { put, state, pass } = harness();
    for (const id of ids(3)) await put("orders", id, leased(30));
    await pass(30_000);
    expect(ids(3).map((id) => state("orders", id))).toEqual(["degraded", "degraded", "degraded"]);
    await pass(60_000);
    expect(ids(3).map((id) => state("orders", id))).toEqual(["down", "down", "down"]);
  });

  test.each(["drain", "order", "replace"] as const)("is none when people %s them", async (how) => {
    const { put, state, store, answers, pass } = harness();
    for (const id of ids(4)) await put("orders", id, bound());
    for (const id of ids(9)) await put("other", `other-${id}`, bound());
    await pass(0);
    for (const id of ["i0", "i1", "i2"]) {
      if (how === "drain") await store.methods.drainInstance({ service: "orders", id, drainSeconds: 1 });
      if (how === "order")
        await store.methods.setInstanceState({ service: "orders", id, state: "out_of_service" });
      if (how === "replace") {
        await put("orders", id, registration({ version: "1.0.1" }));
        answers.set(id, ILL);
      }
    }
    answers.set("i3", ILL);
    await pass(15_000);
    // One of one that is used: no mass. A new version that never came up is down like any other.
    expect(state("orders", "i3")).toBe("down");
    if (how === "replace") expect(state("orders", "i0")).toBe("down");
  });
});

describe("bounds", () => {
  test("refuse what is too much, and take it once there is room", async () => {
    const bounds = {
      services: 2,
      instances: 4,
      instancesPerService: 3,
      servicesGone: 10,
      characters: 1_000_000,
    };
    const { put, store } = harness({ bounds });
    const limit = { ok: false, error: { code: "limit_reached" } };
    for (const id of ids(3)) expect(await put("one", id)).toMatchObject({ ok: true });
    expect(await put("one", "more")).toMatchObject(limit);
    expect(await put("two", "a")).toMatchObject({ ok: true });
    expect(await put("two", "b")).toMatchObject(limit);
    expect(await put("two", "a")).toMatchObject({ ok: true });
    await store.methods.drainInstance({ service: "one", id: "i0", drainSeconds: 0 });
    expect(await put("three", "a")).toMatchObject(limit);
    await store.methods.drainInstance({ service: "two", id: "a", drainSeconds: 0 });
    expect(await put("three", "a")).toMatchObject({ ok: true });
  });

  test("hold for the names of services that are gone; who looks from before is to be told everything", async () => {
    const bounds = {
      services: 9,
      instances: 9,
      instancesPerService: 9,
      servicesGone: 2,
      characters: 1_000_000,
    };
    const { put, store, ledger } = harness({ bounds });
    for (const service of ["a", "b", "c"]) {
      await put(service, "i");
      await store.methods.drainInstance({ service, id: "i", drainSeconds: 0 });
    }
    expect(store.prunedBefore()).toBe(2);
    expect(store.changedSince(store.prunedBefore()).map(({ service }) => service)).toEqual(["b", "c"]);
    expect(store.all()).toEqual([]);
    expect(ledger.epoch()).toBe(6);
  });

  test("leave 10,000 services fast: none of the calls looks at all of them", async () => {
    const { put, store, pass, ledger } = harness();
    const began = performance.now();
    for (let n = 0; n < 10_000; n++) await put(`s${n}`, "a", bound());
    const registered = performance.now();
    for (let n = 0; n < 10_000; n++) await put(`s${n}`, "a", bound());
    const renewed = performance.now();
    await pass(0);
    const probed = performance.now();
    expect(store.all()).toHaveLength(10_000);
    const listed = performance.now();
    await put("s5000", "a", bound({ weight: 1 }));
    expect(store.changedSince(ledger.epoch() - 1)).toHaveLength(1);
    const perCall = (ms: number) => `${((ms / 10_000) * 1_000).toFixed(0)} µs`;
    console.log(
      `10,000 services: registering ${perCall(registered - began)}, renewing ${perCall(renewed - registered)}, probing ${perCall(probed - renewed)} each; all() ${(listed - probed).toFixed(0)} ms`,
    );
    // What grows with the square of the services takes minutes; a busy machine does not.
    expect(performance.now() - began).toBeLessThan(40_000);
  }, 60_000);
});

test("a list gives every service once, page by page", async () => {
  const { put, store } = harness();
  for (const service of ["a", "b", "c", "d", "e"]) await put(service, "i");
  const seen: string[] = [];
  for (let page = await store.methods.listServices({ after: "", limit: 2 }); ; ) {
    seen.push(...page.services.map(({ service }) => service));
    if (page.last) break;
    page = await store.methods.listServices({ after: seen.at(-1) ?? "", limit: 2 });
  }
  expect(seen).toEqual(["a", "b", "c", "d", "e"]);
});

describe("whatever happens in whatever order", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("put" as const),
      service: fc.constantFrom("a", "b"),
      id: fc.constantFrom("1", "2", "3"),
      version: fc.constantFrom("1.0.0", "1.0.0", "1.0.0", "2.0.0"),
      ttlSeconds: fc.constantFrom(5, 40, undefined),
      health: fc.boolean(),
      state: fc.constantFrom("up" as const, "up" as const, "degraded" as const, "starting" as const),
    }),
    fc.record({
      kind: fc.constant("answer" as const),
      ids: fc.subarray(["1", "2", "3"]),
      ok: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant("drain" as const),
      service: fc.constantFrom("a", "b"),
      id: fc.constantFrom("1", "2", "3"),
      drainSeconds: fc.constantFrom(0, 7),
    }),
    fc.record({
      kind: fc.constant("order" as const),
      service: fc.constantFrom("a", "b"),
      id: fc.constantFrom("1", "2", "3"),
      state: fc.constantFrom("up" as const, "out_of_service" as const),
    }),
    fc.record({ kind: fc.constant("pass" as const), seconds: fc.constantFrom(1, 5, 16, 61, 700) }),
    fc.record({ kind: fc.constant("away" as const), seconds: fc.constantFrom(1, 30, 100) }),
  );
  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

  const take = async (made: ReturnType<typeof harness>, one: Step): Promise<void> => {
    if (one.kind === "put") {
      const { ttlSeconds, version, state } = one;
      const health = one.health || ttlSeconds === undefined ? CHECK : false;
      const base = ttlSeconds === undefined ? bound() : registration({ ttlSeconds });
      await made.put(one.service, one.id, { ...base, version, state, health });
    }
    if (one.kind === "answer") for (const id of one.ids) made.answers.set(id, { ok: one.ok });
    if (one.kind === "drain") await made.store.methods.drainInstance(one);
    if (one.kind === "order") await made.store.methods.setInstanceState(one);
    if (one.kind === "pass") await made.pass(one.seconds * 1_000);
    if (one.kind === "away") made.away(one.seconds * 1_000);
  };

  const applied = (known: readonly ServiceEntry[], changed: readonly ServiceEntry[]) => {
    const services = new Map([...known, ...changed].map((entry) => [entry.service, entry]));
    return [...services.values()]
      .filter(({ instances }) => instances.length > 0)
      .sort((one, other) => (one.service < other.service ? -1 : 1));
  };

  test("epochs never go back, and what changed since any of them leads to what is now", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const made = harness({
          bounds: {
            services: 9,
            instances: 9,
            instancesPerService: 9,
            servicesGone: 1,
            characters: 1_000_000,
          },
        });
        const looks = [{ epoch: 0, all: made.store.all() }];
        for (const one of steps) {
          await take(made, one);
          const all = made.store.all();
          const last = looks.at(-1);
          expect(made.ledger.epoch()).toBeGreaterThanOrEqual(last?.epoch ?? 0);
          if (made.ledger.epoch() === last?.epoch) expect(all).toEqual(last.all);
          else looks.push({ epoch: made.ledger.epoch(), all });
        }
        for (const { epoch, all } of looks.filter((look) => look.epoch >= made.store.prunedBefore())) {
          expect(applied(all, made.store.changedSince(epoch))).toEqual(made.store.all());
        }
      }),
      { numRuns: 100 },
    );
  });

  test("none is up that answers no probe, and no failure is hidden for longer than a minute", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const made = harness();
        for (const one of steps) await take(made, one);
        for (const id of ["1", "2", "3"]) made.answers.set(id, ILL);
        await made.pass(40_000 + 61_000 + 20_000);
        const states = made.store.all().flatMap(({ instances }) => instances.map(({ state }) => state));
        expect(states.filter((state) => state === "up" || state === "degraded")).toEqual([]);
        await made.pass(700_000);
        const left = made.store.all().flatMap(({ instances }) => instances);
        expect(left.every(({ binding }) => binding === "ORDERS")).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
