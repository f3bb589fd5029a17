import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openSecrets } from "#shared/config/open-secrets.ts";
import { newKey, sealer, serviceKeys } from "#shared/config/sealing.ts";
import type { Changes, ConfigPart, Look } from "#shared/control/changes.ts";
import { coldSnapshot } from "#shared/control/cold-snapshot.ts";
import type { ServiceEntry } from "#shared/registry/instance.ts";
import { dump, type FakeControlPlane, fakeControlPlane, put } from "./fake-control-plane.ts";

const LOOK: Look = { service: "orders", profile: "default", isolate: "a", epoch: 0 };
const look = (plane: FakeControlPlane, more: Partial<Look> = {}) => plane.look({ ...LOOK, ...more });

const register = (plane: FakeControlPlane, id: string, service = "orders") =>
  plane.registerInstance({
    service,
    id,
    registration: {
      version: "1.0.0",
      binding: "ORDERS",
      weight: 100,
      metadata: {},
      health: false,
      state: "up",
    },
  });

describe("a change", () => {
  it("reaches the snapshot when the Actor ended before it was written", async () => {
    const { boot, keyValue } = fakeControlPlane();
    await put(boot(), ["orders", "default", { limit: 5 }]);
    await boot().ring();
    const cold = await coldSnapshot({ snapshots: keyValue, service: "orders", profile: "default" })();
    expect(cold?.config?.value).toEqual({ limit: 5 });
  });

  it("reaches the snapshot when the store was away meanwhile, and another Actor took over", async () => {
    const { boot, keyValue, state } = fakeControlPlane();
    const first = boot();
    state.kvFails = true;
    await put(first, ["orders", "default", { limit: 5 }]);
    await first.ring();
    expect((await first.status(undefined)).snapshots).toEqual({ epoch: 0, lastError: "KV is away" });
    expect(state.alarmAt).toBeGreaterThan(state.now);

    state.kvFails = false;
    const second = boot();
    await second.ring();
    const status = await second.status(undefined);
    expect(status.snapshots).toEqual({ epoch: status.epoch });
    const cold = await coldSnapshot({ snapshots: keyValue, service: "orders", profile: "default" })();
    expect(cold?.config?.value).toEqual({ limit: 5 });
  });

  it("has a snapshot under a profile that is looked for only later", async () => {
    const { boot, keyValue, state } = fakeControlPlane();
    const plane = boot();
    await put(plane, ["orders", "default", { limit: 5 }]);
    await plane.ring();
    const live = coldSnapshot({ snapshots: keyValue, service: "orders", profile: "live" });
    expect((await live())?.config).toBeUndefined();
    await look(plane, { profile: "live" });
    state.now += 1_000;
    await plane.ring();
    expect((await live())?.config).toMatchObject({ profile: "live", value: { limit: 5 } });
  });

  it("has a snapshot when nobody ever looked for it and it is only being rolled out", async () => {
    const { boot, keyValue } = fakeControlPlane();
    const plane = boot();
    const plan = { by: "isolate", steps: [{ percentage: 50, seconds: 60 }], errorRateRise: 0.1 } as const;
    await put(plane, ["orders", "live", { limit: 6 }], plan);
    await plane.ring();
    const cold = await coldSnapshot({ snapshots: keyValue, service: "orders", profile: "live" })();
    expect(cold?.config).toMatchObject({ value: {}, rollout: { value: { limit: 6 } } });
  });

  it("by which a document is gone reaches the snapshot when nobody ever looked for it", async () => {
    const { boot, keyValue, state } = fakeControlPlane();
    const plane = boot();
    await put(plane, ["orders", "live", { limit: 5 }]);
    await plane.ring();
    const live = coldSnapshot({ snapshots: keyValue, service: "orders", profile: "live" });
    expect((await live())?.config?.value).toEqual({ limit: 5 });
    const gone = { service: "orders", profile: "live", reason: "", author: "test", ifMatch: "*" } as const;
    await plane.removeDocument(gone);
    state.now += 1_000;
    await plane.ring();
    expect((await live())?.config?.value).toEqual({});
  });

  it("is not made when the alarm that must follow it cannot be set", async () => {
    const { boot, state } = fakeControlPlane();
    const plane = boot();
    const { epoch } = await plane.status(undefined);
    state.alarmFails = true;
    state.alarmAt = undefined;
    await expect(put(boot(), ["orders", "default", { limit: 5 }])).rejects.toThrow("cannot be set");
    state.alarmFails = false;
    expect((await boot().status(undefined)).epoch).toBe(epoch);
  });

  it("is told to those who listen, and stands when that fails", async () => {
    const { boot, state } = fakeControlPlane();
    const plane = boot();
    const { epoch } = await put(plane, ["orders", "default", { limit: 5 }]);
    expect(state.broadcast).toEqual([epoch]);
    expect((await plane.status(undefined)).epoch).toBe(epoch);
  });
});

describe("a look", () => {
  it("answers nothing to who has everything", async () => {
    const plane = fakeControlPlane().boot();
    await put(plane, ["orders", "default", { limit: 5 }]);
    const all = await look(plane);
    expect(all).toMatchObject({ whole: true, config: { value: { limit: 5 } } });
    expect(await look(plane, { epoch: all?.epoch ?? 0 })).toBeUndefined();
  });

  it("answers only what changed since", async () => {
    const plane = fakeControlPlane().boot();
    await put(plane, ["orders", "default", { limit: 5 }]);
    await register(plane, "one");
    const known = (await look(plane))?.epoch ?? 0;
    await register(plane, "two", "payments");
    const changes = await look(plane, { epoch: known });
    expect(changes).toMatchObject({ whole: false, services: [{ service: "payments" }] });
    expect(changes?.config).toBeUndefined();

    await put(plane, ["payments", "default", { a: 1 }]);
    expect(await look(plane, { epoch: changes?.epoch ?? 0 })).toMatchObject({ services: [] });
    await put(plane, ["shared", "default", { limit: 6 }]);
    expect(await look(plane, { epoch: changes?.epoch ?? 0 })).toMatchObject({
      config: { value: { limit: 5 } },
    });
  });

  it("answers everything to who has an epoch of another ledger", async () => {
    const plane = fakeControlPlane().boot();
    await register(plane, "one");
    for (const epoch of [1, Number.MAX_SAFE_INTEGER]) {
      expect(await look(plane, { epoch })).toMatchObject({ whole: true, services: [{ service: "orders" }] });
    }
  });

  it("tells who begins anywhere what a whole one tells", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("put" as const), at: fc.nat(3), value: fc.nat(9) }),
      fc.record({ do: fc.constant("register" as const), at: fc.nat(3), value: fc.nat(2) }),
      fc.record({ do: fc.constant("drain" as const), at: fc.nat(3), value: fc.nat(2) }),
      fc.record({ do: fc.constant("look" as const), at: fc.nat(2), value: fc.nat(0) }),
      fc.record({ do: fc.constant("restart" as const), at: fc.nat(0), value: fc.nat(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { boot, state } = fakeControlPlane();
        let plane = boot();
        const isolates = [isolate(), isolate(), isolate()];
        for (const { do: what, at, value } of steps) {
          const service = ["orders", "payments", "shared", "catalog"][at] ?? "orders";
          if (what === "put")
            await put(plane, [service, value % 2 ? "default" : "live", { [`f${value}`]: at }]);
          if (what === "register") await register(plane, `i${value}`, service);
          if (what === "drain") await plane.drainInstance({ service, id: `i${value}`, drainSeconds: 0 });
          if (what === "look") await isolates[at]?.look(plane);
          if (what === "restart") plane = boot();
          state.now += 100;
        }
        const fresh = isolate();
        for (const each of [...isolates, fresh]) await each.look(plane);
        for (const each of isolates) expect(each.knows()).toEqual(fresh.knows());
      }),
      { numRuns: 60 },
    );
  });
});

/** Keeps what looks tell, as an isolate does. */
const isolate = () => {
  let epoch = 0;
  let config: ConfigPart | undefined;
  const services = new Map<string, ServiceEntry>();
  const take = (changes: Changes | undefined) => {
    if (!changes) return;
    epoch = changes.epoch;
    config = changes.config ?? config;
    if (changes.whole) services.clear();
    for (const entry of changes.services) {
      if (entry.instances.length > 0) services.set(entry.service, entry);
      else services.delete(entry.service);
    }
  };
  return {
    look: async (plane: FakeControlPlane) => take(await look(plane, { profile: "live", epoch })),
    knows: () => ({ epoch, config, services: Object.fromEntries([...services].sort()) }),
  };
};

describe("a secret", () => {
  const SECRET = { password: { $secret: "correct horse" } };

  it("opens with the keys of its service, and stands nowhere in clear", async () => {
    const { boot, keys, database, keyValue } = fakeControlPlane();
    const plane = boot();
    await put(plane, ["orders", "default", SECRET]);
    const value = (await look(plane))?.config?.value ?? {};
    const open = async (service: string) =>
      openSecrets(value, { service: "orders", secrets: sealer({ keys: await serviceKeys(keys, service) }) });
    expect(await open("orders")).toEqual({ password: "correct horse" });
    await expect(open("payments")).rejects.toThrow("could not be opened");

    await plane.ring();
    const written: string[] = [];
    for await (const key of keyValue.list([])) written.push((await keyValue.get(key)) ?? "");
    expect(written.join()).toContain("$secret");
    expect(written.join() + dump(database) + JSON.stringify(value)).not.toContain("correct horse");
  });

  it("opens from the snapshot by the new key alone once all was sealed anew", async () => {
    const { boot, keys, keyValue } = fakeControlPlane();
    const first = boot();
    await put(first, ["orders", "default", SECRET]);
    await first.ring();
    const fresh = newKey("k2");
    const second = boot({ keys: `${fresh},${keys}` });
    expect(await second.rotateSecrets({})).toMatchObject({ value: { key: "k2", resealed: 1, failed: [] } });
    await second.ring();
    const cold = await coldSnapshot({ snapshots: keyValue, service: "orders", profile: "default" })();
    const secrets = sealer({ keys: await serviceKeys(fresh, "orders") });
    const opened = openSecrets(cold?.config?.value ?? {}, { service: "orders", secrets });
    expect(await opened).toEqual({ password: "correct horse" });
  });

  it("is refused without keys, and the refusal says what is missing", async () => {
    const plane = fakeControlPlane().boot({ keys: undefined });
    await put(plane, ["orders", "default", { plain: 1 }]);
    const refused = plane.putDocument({
      ...{ service: "orders", profile: "default", content: SECRET, reason: "", author: "test" },
      ifMatch: "*",
    });
    expect(await refused).toMatchObject({
      ok: false,
      error: { code: "unavailable", detail: expect.stringContaining("CONTROL_KEYS is not set") },
    });
  });

  it("that cannot be opened keeps back its configuration alone, until it can", async () => {
    const { boot } = fakeControlPlane();
    await put(boot(), ["orders", "default", SECRET]);
    const keyless = boot({ keys: undefined });
    await register(keyless, "one");
    const without = await look(keyless);
    expect(without).toMatchObject({ whole: true, services: [{ service: "orders" }] });
    expect(without?.config).toBeUndefined();
    expect((await keyless.status(undefined)).unsealable).toMatchObject([{ service: "orders" }]);

    const again = await look(boot(), { epoch: without?.epoch ?? 0 });
    expect(again?.config?.value).toHaveProperty("password");
  });
});

describe("a roll-out", () => {
  const PLAN = {
    by: "isolate",
    steps: [{ percentage: 10, seconds: 60 }],
    errorRateRise: 0.05,
  } as const;
  const failing = (rollout: string) => [
    { service: "orders", rollout, arm: "candidate", answers: 40, failures: 12 } as const,
    { service: "orders", rollout, arm: "stable", answers: 400, failures: 1 } as const,
  ];

  const start = async () => {
    const fake = fakeControlPlane();
    const plane = fake.boot();
    await put(plane, ["orders", "default", { limit: 5 }]);
    await put(plane, ["orders", "default", { limit: 6 }], PLAN);
    const seen = await look(plane);
    return { ...fake, plane, seen, rollout: seen?.config?.rollout };
  };

  it("travels with both configurations, and becomes the only one when its steps are over", async () => {
    const { plane, state, seen, rollout } = await start();
    expect(seen?.config).toMatchObject({
      value: { limit: 5 },
      rollout: { percentage: 10, value: { limit: 6 } },
    });
    expect(rollout?.id).toMatch(/^[\w.-]+$/);
    state.now += 59_000;
    await plane.ring();
    expect(await look(plane, { epoch: seen?.epoch ?? 0 })).toBeUndefined();
    state.now += 1_000;
    await plane.ring();
    const after = await look(plane, { epoch: seen?.epoch ?? 0 });
    expect(after?.config?.value).toEqual({ limit: 6 });
    expect(after?.config?.rollout).toBeUndefined();
  });

  it("goes back by itself, and history says why", async () => {
    const { plane, seen, rollout, state } = await start();
    const shown = async () => (await plane.status(undefined)).rollouts;
    expect(await shown()).toHaveLength(1);
    await look(plane, { epoch: seen?.epoch ?? 0, counts: failing(rollout?.id ?? "") });
    const before = state.now;
    await plane.ring();
    expect(state.now).toBeLessThanOrEqual(before + 1_000);
    const after = await look(plane, { epoch: seen?.epoch ?? 0 });
    expect(after?.config).toMatchObject({ value: { limit: 5 } });
    expect(after?.config?.rollout).toBeUndefined();
    expect(await shown()).toEqual([]);
    const document = await plane.readDocument({ service: "orders", profile: "default" });
    expect(document).toMatchObject({
      value: { author: "control-plane", reason: expect.stringMatching(/^went back by itself: 12 of 40/) },
    });
  });
});

describe("a configuration that isolates rejected", () => {
  it("is shown until a newer one is there", async () => {
    const plane = fakeControlPlane().boot();
    const { epoch } = await put(plane, ["orders", "default", { limit: -1 }]);
    const rejected = { epoch, faults: [{ path: "limit", message: "too small" }] };
    await look(plane, { epoch, rejected });
    await look(plane, { epoch, isolate: "b", rejected });
    expect((await plane.status(undefined)).rejected).toMatchObject([
      { service: "orders", profile: "default", isolate: "b", ...rejected },
    ]);
    await put(plane, ["orders", "default", { limit: 1 }]);
    expect((await plane.status(undefined)).rejected).toEqual([]);
  });
});
