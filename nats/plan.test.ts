/** Holds which changes of a stream are made and which refused, setting by setting. */
import type { StreamConfig } from "@nats-io/jetstream";
import { describe, expect, test } from "vitest";
import { planStream } from "./plan.ts";
import { declaredStreams } from "./streams.ts";

const RULES = { oneWay: false, clustered: true, guardsReplicas: true };
const declared = { ...logOf("orders"), num_replicas: 3 };
function logOf(service: string) {
  const found = declaredStreams().find(({ name }) => name === `log-${service}`);
  if (!found) throw new Error(`no log "${service}"`);
  return found;
}
const standing = (change: object) => ({ ...declared, ...change }) as StreamConfig;
const plan = (change: object, rules = RULES) => planStream(declared, standing(change), rules);

describe("a plan", () => {
  test("creates what is not there and does nothing where all is as declared", () => {
    expect(planStream(declared, null, RULES)).toEqual({ stream: "log-orders", does: "create", changes: [] });
    expect(plan({})).toEqual({ stream: "log-orders", does: "nothing", changes: [] });
  });

  test("leaves alone what is not declared", () => {
    expect(plan({ max_msg_size: 1_000, description: "ours" }).does).toBe("nothing");
    expect(planStream(logOf("orders"), standing({ num_replicas: 5 }), RULES).does).toBe("nothing");
  });

  test.each([
    [{ max_age: 3_600 }, "max_age", 3_600, 0],
    [{ max_msgs: 10 }, "max_msgs", 10, -1],
    [{ max_bytes: 10 }, "max_bytes", 10, -1],
    [{ discard: "old" }, "discard", "old", "new"],
    [{ num_replicas: 1 }, "num_replicas", 1, 3],
    [{ duplicate_window: 1 }, "duplicate_window", 1, 120_000_000_000],
    [{ subjects: [] }, "subjects", [], ["log.orders.>"]],
  ])("changes %j, which loses nothing, and says from what to what", (change, setting, from, to) => {
    expect(plan(change)).toEqual({ stream: "log-orders", does: "change", changes: [{ setting, from, to }] });
  });

  test.each([
    [{ storage: "memory" }, "storage", "cannot change"],
    [{ retention: "workqueue" }, "retention", "cannot change"],
    [{ num_replicas: 5 }, "num_replicas", "fewer copies"],
    [{ subjects: ["log.orders.>", "old.>"] }, "subjects", "old.> would be kept no more"],
    [{ no_ack: true }, "no_ack", "expected none"],
    [{ sources: [{ name: "x" }] }, "sources", "expected none"],
    [{ mirror: { name: "x" } }, "mirror", "expected none"],
  ])("refuses where %j stands, with the reason", (change, setting, reason) => {
    const { does, changes } = plan(change);
    expect(does).toBe("refuse");
    expect(changes).toMatchObject([{ setting, refused: expect.stringContaining(reason) }]);
  });

  test.each([
    ["max_age", 3_600],
    ["max_msgs", 10],
    ["max_msgs_per_subject", 10],
    ["max_bytes", 10],
  ])("refuses a lower %s, and makes a higher one", (setting, limit) => {
    const lower = planStream({ ...declared, [setting]: limit - 1 }, standing({ [setting]: limit }), RULES);
    const first = planStream({ ...declared, [setting]: limit }, standing({}), RULES);
    const higher = planStream({ ...declared, [setting]: limit + 1 }, standing({ [setting]: limit }), RULES);
    expect([lower.does, first.does, higher.does]).toEqual(["refuse", "refuse", "change"]);
  });

  test("lowers the limits of a stream without a history", () => {
    const { deny_delete: _, ...loose } = { ...declared, max_bytes: 5, discard: "old" as never };
    expect(planStream(loose, standing({ max_bytes: 10 }), RULES).does).toBe("change");
  });

  test("refuses discard old, and to take back what the server never takes back", () => {
    expect(planStream({ ...declared, discard: "old" as never }, standing({}), RULES).does).toBe("refuse");
    expect(planStream({ ...declared, deny_purge: false }, standing({}), RULES).does).toBe("refuse");
  });

  test.each(["deny_delete", "deny_purge"])(
    "turns on %s, which is one-way, only when that is allowed",
    (it) => {
      expect(plan({ [it]: false })).toMatchObject({
        does: "refuse",
        changes: [{ setting: it, refused: expect.stringContaining("--one-way") }],
      });
      expect(plan({ [it]: false }, { ...RULES, oneWay: true }).does).toBe("change");
    },
  );

  test("refuses replicas where the server is alone, new or not", () => {
    const alone = { ...RULES, clustered: false };
    expect(planStream(declared, null, alone)).toMatchObject({ does: "refuse" });
    expect(plan({ num_replicas: 1 }, alone)).toMatchObject({
      changes: [{ refused: "the server is alone: replicas need a cluster" }],
    });
    expect(planStream({ ...declared, num_replicas: 1 }, null, alone).does).toBe("create");
  });

  test("refuses replicas on servers that take two commits for the same place there", () => {
    const old = { ...RULES, guardsReplicas: false };
    expect(planStream(declared, null, old)).toMatchObject({
      does: "refuse",
      changes: [{ refused: expect.stringContaining("before 2.11") }],
    });
    expect(planStream({ ...declared, num_replicas: 1 }, null, old).does).toBe("create");
  });

  test("refuses the whole stream when one of several changes is refused", () => {
    expect(plan({ max_age: 1, storage: "memory" })).toMatchObject({
      does: "refuse",
      changes: [{ setting: "storage" }, { setting: "max_age" }],
    });
  });
});
