import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { ConfigPart, JsonObject, Rollout } from "../control/changes.ts";
import { recordSpans } from "../telemetry/record-spans.ts";
import { inSpan } from "../telemetry/span.ts";
import { type ArmNote, withArmNote } from "./arm-note.ts";
import { configReader } from "./config.ts";
import { flagTableSchema } from "./flags/flag.ts";
import { dottedPath } from "./path.ts";
import { newKey, sealer, serviceKeys } from "./sealing.ts";
import { takesPart } from "./stable-share.ts";

const schema = z.strictObject({
  quoteMs: z.int().min(0).default(1_000),
  provider: z
    .strictObject({ token: z.string().min(8).optional(), hosts: z.array(z.string()).default([]) })
    .prefault({}),
});

const spans = recordSpans();
const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
beforeEach(() => void warn.mockClear());
afterEach(() => void spans.take());

const partOf = (value: JsonObject, more: Partial<ConfigPart> = {}): ConfigPart => ({
  service: "orders",
  profile: "default",
  epoch: 1,
  value,
  flags: {},
  ...more,
});
const rolloutOf = (by: Rollout["by"], percentage: number, value: JsonObject = { quoteMs: 2 }): Rollout => ({
  id: "r-1",
  by,
  percentage,
  value,
  flags: {},
});

const start = (keys?: string, isolate = "isolate-1") => {
  const secrets = keys === undefined ? undefined : sealer({ keys });
  const reader = configReader({ schema, service: "orders", isolate, secrets });
  const arrive = async (value: JsonObject, more: Partial<ConfigPart> = {}) =>
    (await reader.read(partOf(value, more))).take();
  return { reader, config: reader.config, arrive };
};

describe("a configuration", () => {
  test("is the schema's defaults before anything has come", () => {
    expect(start().config.get()).toEqual({ quoteMs: 1_000, provider: { hosts: [] } });
  });

  test("is what has come, with defaults for the rest, and the same object until that changes", async () => {
    const { config, arrive } = start();
    await arrive({ quoteMs: 5 });
    expect(config.get()).toEqual({ quoteMs: 5, provider: { hosts: [] } });
    expect(config.get()).toBe(config.get());
  });

  test("cannot be changed by those who read it, at any depth", async () => {
    const { config, arrive } = start();
    for (const change of [async () => undefined, () => arrive({ provider: { hosts: ["a"] } })]) {
      await change();
      expect(() => Object.assign(config.get(), { quoteMs: 9 })).toThrow(TypeError);
      expect(() => config.get().provider.hosts.push("b")).toThrow(TypeError);
    }
  });

  test("cannot be changed where its schema says so itself, which freezes only the outermost", () => {
    const schema = z.object({
      pair: z
        .array(z.array(z.int()))
        .default([[1]])
        .readonly(),
    });
    const { config } = configReader({ schema, service: "orders", isolate: "i", secrets: undefined });
    expect(() => config.get().pair[0]?.push(2)).toThrow(TypeError);
  });

  test("that does not fit is not taken, not even in part, and is told of without its values", async () => {
    const { reader, config, arrive } = start();
    await arrive({ quoteMs: 5 });
    await inSpan("request", {}, () =>
      arrive({ quoteMs: 6, provider: { token: "s3cret" }, extra: "s3cret" }, { epoch: 8 }),
    );
    expect(config.get().quoteMs).toBe(5);
    expect(reader.rejected()?.epoch).toBe(8);
    expect(config.faults().map(({ path }) => path)).toEqual(["provider.token", ""]);
    const told = JSON.stringify([warn.mock.calls, spans.take()[0]?.events, config.faults()]);
    expect(told).toContain("provider.token");
    expect(told).not.toContain("s3cret");
  });

  test("that fits again ends the fault", async () => {
    const { reader, config, arrive } = start();
    await arrive({ quoteMs: "x" });
    await arrive({ quoteMs: 3 });
    expect([config.get().quoteMs, config.faults(), reader.rejected()]).toEqual([3, [], undefined]);
  });

  test("with flags of another form is not taken", async () => {
    const { config, arrive } = start();
    await arrive({ quoteMs: 3 }, { flags: { "accept-orders": { serve: 3 } } as never });
    expect(config.get().quoteMs).toBe(1_000);
    expect(config.faults()[0]?.path).toMatch(/^flags\.accept-orders/);
  });

  test("has its flags beside it", async () => {
    const { config, arrive } = start();
    expect(config.flags()).toEqual({});
    const flags = flagTableSchema.parse({ "accept-orders": { enabled: false } });
    await arrive({}, { flags });
    expect(config.flags()).toEqual(flags);
  });
});

describe("those who react to changes", () => {
  test("are told what is and what was, when it really changed, until they no longer want to be", async () => {
    const { config, arrive } = start();
    const listener = vi.fn();
    const stop = config.onChange(listener);
    await arrive({ quoteMs: 1_000 });
    expect(listener).not.toHaveBeenCalled();
    await arrive({ quoteMs: 5 });
    await arrive({ quoteMs: 5 }, { epoch: 2 });
    await arrive({ quoteMs: "x" });
    expect(listener.mock.calls.map(([now, before]) => [now.quoteMs, before.quoteMs])).toEqual([[5, 1_000]]);
    stop();
    await arrive({ quoteMs: 6 });
    expect(listener).toHaveBeenCalledOnce();
  });

  test("do not keep each other from being told", async () => {
    const { config, arrive } = start();
    const failed = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const listener = vi.fn();
    config.onChange(() => {
      throw new Error("mistake");
    });
    config.onChange(listener);
    await arrive({ quoteMs: 5 });
    expect(listener).toHaveBeenCalledOnce();
    expect(failed).toHaveBeenCalledOnce();
    failed.mockRestore();
  });
});

describe("those who react to flags", () => {
  const flagsOf = (table: Record<string, boolean>) => ({ flags: flagTableSchema.parse(table) });
  const listening = () => {
    const started = start();
    const told: (readonly string[])[] = [];
    const stop = started.config.onFlagsChange((changed) => void told.push(changed));
    return { ...started, told, stop };
  };

  test("are told which have changed, also when the value has not, until they no longer want to be", async () => {
    const { arrive, told, stop } = listening();
    await arrive({ quoteMs: 5 });
    await arrive({ quoteMs: 5 }, flagsOf({ dark: true, wide: true, constructor: true }));
    await arrive({ quoteMs: 6 }, flagsOf({ wide: true, dark: false }));
    await arrive({ quoteMs: "x" }, flagsOf({}));
    stop();
    await arrive({ quoteMs: 5 }, flagsOf({}));
    expect(told).toEqual([
      ["dark", "wide", "constructor"],
      ["dark", "constructor"],
    ]);
  });

  test("hear of a roll-out by key what changes for some, and of its steps, and of its end", async () => {
    const { arrive, told } = listening();
    const both = { dark: false, wide: true };
    const step = (percentage: number) => ({
      ...flagsOf(both),
      rollout: { ...rolloutOf("key", percentage), ...flagsOf({ ...both, dark: true }) },
    });
    await arrive({}, flagsOf(both));
    for (const percentage of [10, 10, 50]) await arrive({}, step(percentage));
    await arrive({}, flagsOf(both));
    expect(told).toEqual([["dark", "wide"], ["dark"], ["dark"], ["dark"]]);
  });

  test("hear of a roll-out by isolate only where theirs takes part", async () => {
    const { arrive, told } = listening();
    for (const percentage of [0, 100]) {
      await arrive({}, { rollout: { ...rolloutOf("isolate", percentage), ...flagsOf({ dark: true }) } });
    }
    expect(told).toEqual([["dark"]]);
  });
});

describe("a secret", () => {
  const master = newKey("k1");
  const sealedFor = async (service: string, text: string, path: string) => {
    const seal = sealer({ keys: await serviceKeys(master, service) });
    return { $secret: { ...(await seal.seal(text, `${service}#${path}`)) } };
  };

  test("is read as its text", async () => {
    const { config, arrive } = start(await serviceKeys(master, "orders"));
    await arrive({
      provider: {
        token: await sealedFor("orders", "long enough", "provider.token"),
        hosts: ["a", await sealedFor("orders", "hidden", "provider.hosts.1")],
      },
    });
    expect(config.get().provider).toEqual({ token: "long enough", hosts: ["a", "hidden"] });
  });

  test("is opened under a field whose name has dots and backslashes", async () => {
    const keys = await serviceKeys(master, "orders");
    const byName = z.record(z.string(), z.string());
    const reader = configReader({
      schema: byName,
      service: "orders",
      isolate: "i",
      secrets: sealer({ keys }),
    });
    const name = "pay.example\\de";
    const value = { [name]: await sealedFor("orders", "hidden", dottedPath([name])) };
    (await reader.read(partOf(value))).take();
    expect([reader.config.get(), reader.rejected()]).toEqual([{ [name]: "hidden" }, undefined]);
  });

  test("is checked by the schema once it is open", async () => {
    const { config, arrive } = start(await serviceKeys(master, "orders"));
    await arrive({ provider: { token: await sealedFor("orders", "short", "provider.token") } });
    expect(config.faults().map(({ path }) => path)).toEqual(["provider.token"]);
  });

  test.each([
    ["of another service", "payments", "provider.token"],
    ["moved from elsewhere", "orders", "provider.other"],
  ])("%s is not opened, and nothing of its configuration is taken", async (_, service, path) => {
    const { config, arrive } = start(await serviceKeys(master, "orders"));
    await arrive({ quoteMs: 1, provider: { token: await sealedFor(service, "long enough", path) } });
    expect(config.get().quoteMs).toBe(1_000);
    expect(config.faults()).toEqual([
      { path: "provider.token", message: "The secret could not be opened with the service's keys" },
    ]);
  });

  test("is not opened by a service without keys", async () => {
    const { config, arrive } = start();
    await arrive({ provider: { token: await sealedFor("orders", "long enough", "provider.token") } });
    expect(config.faults().map(({ path }) => path)).toEqual(["provider.token"]);
  });
});

describe("under a roll-out", () => {
  const isolates = Array.from({ length: 40 }, (_, index) => `isolate-${index}`);
  const stable = { quoteMs: 1 };

  test("by isolate, an isolate takes the side that its hash gives it, with or without a key", async () => {
    for (const isolate of isolates) {
      const { config, arrive } = start(undefined, isolate);
      await arrive(stable, { rollout: rolloutOf("isolate", 50) });
      const candidate = takesPart("r-1", isolate, 50);
      expect([config.get().quoteMs, config.get({ key: "ada" }).quoteMs]).toEqual(candidate ? [2, 2] : [1, 1]);
      expect(config.rollout()).toEqual({ id: "r-1", isolatesArm: candidate ? "candidate" : "stable" });
    }
  });

  test("by key, a key takes the same side in every isolate, and whoever has none is stable", async () => {
    const sides = await Promise.all(
      ["isolate-1", "isolate-2"].map(async (isolate) => {
        const { config, arrive } = start(undefined, isolate);
        await arrive(stable, { rollout: rolloutOf("key", 50) });
        expect([config.get().quoteMs, config.rollout()]).toEqual([1, { id: "r-1" }]);
        return isolates.map((key) => config.get({ key }).quoteMs);
      }),
    );
    expect(sides[0]).toEqual(sides[1]);
    expect(new Set(sides[0])).toEqual(new Set([1, 2]));
  });

  test("flags go with their side", async () => {
    const { config, arrive } = start();
    const flags = flagTableSchema.parse({ dark: {} });
    await arrive(stable, { rollout: { ...rolloutOf("isolate", 100), flags } });
    expect(config.flags()).toEqual(flags);
  });

  test("a candidate that does not fit is reason to take nothing", async () => {
    const { config, arrive } = start();
    await arrive(stable, { rollout: rolloutOf("isolate", 0, { quoteMs: -1 }) });
    expect([config.get().quoteMs, config.faults().length]).toEqual([1_000, 1]);
  });

  test("what was read is noted for the answer that is being made; the candidate's mark stays", async () => {
    const { config, arrive } = start();
    await arrive(stable, { rollout: rolloutOf("key", 50) });
    const of = (arm: boolean) => isolates.find((key) => takesPart("r-1", key, 50) === arm) ?? "";
    const noted = (...keys: (string | undefined)[]) => {
      const note: ArmNote = {};
      withArmNote(note, () => {
        for (const key of keys) config.get(key === undefined ? {} : { key });
      });
      return note.taken?.arm;
    };
    expect(noted()).toBeUndefined();
    expect(noted(undefined)).toBeUndefined();
    expect(noted(of(false))).toBe("stable");
    expect(noted(of(true))).toBe("candidate");
    expect(noted(of(true), of(false))).toBe("candidate");
  });

  test("nothing is noted once it is over, nor by taking what has come", async () => {
    const { config, arrive } = start();
    const note: ArmNote = {};
    await withArmNote(note, async () => {
      await arrive(stable, { rollout: rolloutOf("isolate", 100) });
      await arrive({ quoteMs: 2 });
      config.get();
    });
    expect([note.taken, config.rollout()]).toEqual([undefined, undefined]);
  });
});
