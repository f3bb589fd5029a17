import { describe, expect, it } from "vitest";
import type { Look } from "#shared/control/changes.ts";
import { coldSnapshot } from "#shared/control/cold-snapshot.ts";
import { LIMITS } from "#shared/limits.ts";
import { type FakeControlPlane, fakeControlPlane } from "./fake-control-plane.ts";

const LOOK: Look = { service: "orders", profile: "default", isolate: "a", epoch: 0 };
const SERVICES = LIMITS.registryServices;

const register = (plane: FakeControlPlane, service: string, version = "1.0.0") =>
  plane.registerInstance({
    service,
    id: "one",
    registration: {
      version,
      binding: "ORDERS",
      weight: 100,
      metadata: { team: "a" },
      health: { path: "/healthz", intervalSeconds: 5, timeoutMs: 1_000, rise: 2, fall: 3 },
      state: "up",
    },
  });

/** What the work gave, and how long it took. */
const timed = async <T>(what: string, work: () => Promise<T>, each = 1): Promise<[T, number]> => {
  const start = performance.now();
  const value = await work();
  const ms = performance.now() - start;
  console.info(
    `${what}: ${ms.toFixed(0)} ms${each > 1 ? `, ${((ms * 1_000) / each).toFixed(0)} µs each` : ""}`,
  );
  return [value, ms];
};

describe("as many services as the registry takes", () => {
  it("are registered, looked for, probed and written in bounded time, and one more is refused", async () => {
    const { boot, keyValue, state } = fakeControlPlane();
    const plane = boot();
    const [, registering] = await timed(
      `${SERVICES} registrations`,
      async () => {
        for (let n = 0; n < SERVICES; n++) await register(plane, `service-${n}`);
      },
      SERVICES,
    );
    expect(await register(plane, "one-more")).toMatchObject({ ok: false, error: { code: "limit_reached" } });

    const [whole, looking] = await timed("the first look", () => plane.look(LOOK));
    expect([whole?.whole, whole?.services.length]).toEqual([true, SERVICES]);
    const bytes = JSON.stringify(whole).length;
    console.info(`its answer: ${(bytes / 1024 / 1024).toFixed(1)} MiB`);
    expect(bytes).toBeLessThan(32 * 1024 * 1024);

    await register(plane, "service-7", "1.0.1");
    const [since, lookingAgain] = await timed("a look after one change", () =>
      plane.look({ ...LOOK, epoch: whole?.epoch ?? 0 }),
    );
    expect(since).toMatchObject({ whole: false, services: [{ service: "service-7" }] });

    const [, ringing] = await timed("the snapshot", plane.ring);
    const cold = await coldSnapshot({ snapshots: keyValue, service: "orders", profile: "default" })();
    expect(cold?.services).toHaveLength(SERVICES);
    state.now += 5_000;
    const [, probing] = await timed(`an alarm with ${SERVICES} probes due`, plane.ring);

    // Loose on purpose: what grows with the square of the number of services takes minutes here.
    expect(registering).toBeLessThan(20_000);
    expect(Math.max(looking, ringing, probing)).toBeLessThan(2_000);
    expect(lookingAgain).toBeLessThan(100);
  }, 60_000);
});
