import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { ArmCount } from "#shared/control/changes.ts";
import { ok } from "#shared/result.ts";
import { nodeSql } from "#shared/runtime/node-sql.ts";
import { createLedger } from "../ledger.ts";
import type { DocumentName } from "../part.ts";
import { createRollouts } from "./rollouts.ts";

const ORDERS = { service: "orders", profile: "default" };
const PLAN = {
  by: "isolate",
  steps: [
    { percentage: 1, seconds: 60 },
    { percentage: 25, seconds: 120 },
  ],
  errorRateRise: 0.05,
} as const;

const setUp = async (database = new DatabaseSync(":memory:")) => {
  let now = Date.UTC(2026, 0, 1);
  const clock = () => now;
  const sql = nodeSql(database);
  const ledger = createLedger({
    sql,
    clock,
    beforeChange: async () => undefined,
    afterChange: () => undefined,
  });
  const ended: string[] = [];
  const candidates = { broken: "" };
  const note =
    (what: string) => (name: DocumentName, by: { author: string; reason: string }, epoch: number) => {
      expect(epoch).toBe(ledger.epoch() + 1);
      if (candidates.broken === name.service) throw new Error(`${name.service} is broken`);
      ended.push(`${what} ${name.service}/${name.profile} by ${by.author}: ${by.reason}`);
    };
  const rollouts = createRollouts({
    sql,
    clock,
    ledger,
    candidates: () => ({ promote: note("promote"), withdraw: note("withdraw") }),
  });
  const start = (name: DocumentName, plan: Parameters<typeof rollouts.start>[1] = PLAN) =>
    ledger.change((epoch) => ok(rollouts.start(name, plan, epoch)));
  const current = () => {
    const row = rollouts.underWay.find(ORDERS);
    if (!row) throw new Error("no roll-out under way");
    return row;
  };
  const count = (arm: ArmCount["arm"], answers: number, failures: number, rollout = current().id) =>
    rollouts.count([{ service: "orders", rollout, arm, answers, failures }]);
  /** Lets time pass and runs what is due, as the alarm does. */
  const pass = async (seconds: number) => {
    now += seconds * 1_000;
    await rollouts.run();
  };
  await start(ORDERS);
  return { database, ledger, rollouts, ended, candidates, start, current, count, pass, clock };
};

describe("a roll-out", () => {
  it("has each of its shares for as long as the plan says, then gives the candidate to all", async () => {
    const { current, pass, ended, ledger, rollouts, clock } = await setUp();
    expect(current().percentage).toBe(1);
    expect(rollouts.due()).toBe(clock() + 60_000);
    await pass(59);
    expect(current().percentage).toBe(1);
    const before = ledger.epoch();
    await pass(1);
    expect(current().percentage).toBe(25);
    expect(ledger.epoch()).toBe(before + 1);
    await pass(119);
    expect(ended).toEqual([]);
    await pass(1);
    expect(ended).toEqual(["promote orders/default by control-plane: all steps of the roll-out are over"]);
    expect(rollouts.due()).toBeUndefined();
    expect(rollouts.underWay.epochOf(ORDERS)).toBe(ledger.epoch());
  });

  it("gives each share its whole time after the alarm came late", async () => {
    const { current, pass } = await setUp();
    await pass(1_000);
    expect(current().percentage).toBe(25);
    await pass(119);
    expect(current().percentage).toBe(25);
  });

  it("goes back by itself when more of its answers fail, and says how many", async () => {
    const { count, pass, ended, rollouts, clock } = await setUp();
    count("stable", 400, 1);
    count("candidate", 30, 5);
    count("candidate", 10, 7);
    expect(rollouts.due()).toBeLessThanOrEqual(clock());
    await pass(0);
    expect(ended).toEqual([
      "withdraw orders/default by control-plane: went back by itself: 12 of 40 answers failed (30.0 %), 1 of 400 (0.3 %) without it",
    ]);
    expect(rollouts.due()).toBeUndefined();
  });

  it("goes back when a quiet service fails that is not heard among busy ones, and says which", async () => {
    const { rollouts, current, pass, ended } = await setUp();
    const rollout = current().id;
    rollouts.count([
      { service: "busy", rollout, arm: "candidate", answers: 100_000, failures: 10 },
      { service: "busy", rollout, arm: "stable", answers: 100_000, failures: 10 },
      { service: "quiet", rollout, arm: "candidate", answers: 15, failures: 15 },
      { service: "quiet", rollout, arm: "stable", answers: 15, failures: 0 },
    ]);
    await pass(0);
    expect(ended).toEqual([]);
    rollouts.count([{ service: "quiet", rollout, arm: "candidate", answers: 15, failures: 15 }]);
    await pass(0);
    expect(ended).toEqual([
      'withdraw orders/default by control-plane: went back by itself: 30 of 30 answers of "quiet" failed (100.0 %), 0 of 15 (0.0 %) without it',
    ]);
  });

  it("stays when a service fails with and without it, or just by chance", async () => {
    const { rollouts, current, pass, ended } = await setUp();
    const rollout = current().id;
    rollouts.count([
      { service: "busy", rollout, arm: "stable", answers: 100_000, failures: 10 },
      { service: "busy", rollout, arm: "candidate", answers: 100_000, failures: 10 },
      { service: "broken", rollout, arm: "stable", answers: 40, failures: 40 },
      { service: "broken", rollout, arm: "candidate", answers: 40, failures: 40 },
      { service: "unlucky", rollout, arm: "stable", answers: 400, failures: 8 },
      { service: "unlucky", rollout, arm: "candidate", answers: 30, failures: 3 },
    ]);
    await pass(0);
    expect(ended).toEqual([]);
  });

  it("forgets what was counted of services when it ends", async () => {
    const { rollouts, count, start, current, pass, ended } = await setUp();
    count("candidate", 15, 15);
    await rollouts.methods.withdrawRollout({ ...ORDERS, author: "eve" });
    await start(ORDERS);
    count("candidate", 15, 15, current().id);
    await pass(0);
    expect(ended).toHaveLength(1);
  });

  it("that cannot go on keeps none of the others back", async () => {
    const { start, pass, ended, candidates } = await setUp();
    await start({ service: "payments", profile: "default" });
    candidates.broken = "orders";
    await expect(pass(60)).resolves.toBeUndefined();
    await expect(pass(120)).rejects.toThrow("orders is broken");
    expect(ended).toEqual(["promote payments/default by control-plane: all steps of the roll-out are over"]);
  });

  it("goes back instead of on when both are due", async () => {
    const { count, pass, ended } = await setUp();
    count("candidate", 40, 40);
    await pass(3_600);
    expect(ended[0]).toMatch(/^withdraw/);
  });

  it("is not moved by counts of another one", async () => {
    const { count, pass, ended, current } = await setUp();
    count("candidate", 40, 40, "orders.default.1");
    await pass(0);
    expect(ended).toEqual([]);
    expect(current().candidate).toEqual({ answers: 0, failures: 0 });
  });

  it("stays at a share that was set by hand, and still goes back by itself", async () => {
    const { rollouts, pass, current, count, ended } = await setUp();
    const set = await rollouts.methods.setRollout({ ...ORDERS, percentage: 50, author: "eve" });
    expect(set).toMatchObject({ ok: true, value: { percentage: 50 } });
    expect(rollouts.due()).toBeUndefined();
    await pass(100_000);
    expect(current().percentage).toBe(50);
    count("candidate", 40, 40);
    await pass(0);
    expect(ended[0]).toMatch(/^withdraw/);
  });

  it("becomes the document at a hundred percent by hand, and is withdrawn by hand", async () => {
    const { rollouts, start, ended } = await setUp();
    expect(await rollouts.methods.setRollout({ ...ORDERS, percentage: 100, author: "eve" })).toEqual(
      ok(undefined),
    );
    await start(ORDERS);
    expect(await rollouts.methods.withdrawRollout({ ...ORDERS, author: "adam" })).toEqual(ok(undefined));
    expect(ended).toEqual([
      "promote orders/default by eve: given to all by hand",
      "withdraw orders/default by adam: withdrawn by hand",
    ]);
    const again = await rollouts.methods.withdrawRollout({ ...ORDERS, author: "adam" });
    expect(again).toMatchObject({ ok: false, error: { code: "rollout_not_found" } });
  });

  it("goes on where it was after a restart", async () => {
    const { database, count, current } = await setUp();
    count("candidate", 10, 1);
    const row = current();
    const sql = nodeSql(database);
    const clock = () => row.sinceMs;
    const ledger = createLedger({
      sql,
      clock,
      beforeChange: async () => undefined,
      afterChange: () => undefined,
    });
    const again = createRollouts({
      sql,
      clock,
      ledger,
      candidates: () => ({ promote: () => undefined, withdraw: () => undefined }),
    });
    expect(again.underWay.find(ORDERS)).toEqual(row);
    expect(again.due()).toBe(row.sinceMs + 60_000);
  });

  it.each([
    ["orders", "default", true],
    ["orders", "production", true],
    ["shared", "default", true],
    ["shared", "production", true],
    ["payments", "default", false],
    ["payments", "production", false],
  ])("of orders/default touches %s/%s: %s", async (service, profile, touched) => {
    const { rollouts } = await setUp();
    expect(rollouts.touching({ service, profile })).toEqual(touched ? ORDERS : undefined);
  });

  it("of one profile does not touch another one", async () => {
    const { rollouts, start } = await setUp();
    await rollouts.methods.withdrawRollout({ ...ORDERS, author: "eve" });
    await start({ service: "shared", profile: "production" });
    expect(rollouts.touching({ service: "orders", profile: "staging" })).toBeUndefined();
    expect(rollouts.touching({ service: "orders", profile: "default" })).toBeDefined();
  });
});
