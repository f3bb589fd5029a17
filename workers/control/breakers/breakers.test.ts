import { beforeEach, describe, expect, test } from "vitest";
import type { Changes, Look } from "#shared/control/changes.ts";
import { LIMITS } from "#shared/limits.ts";
import type { BreakerReport } from "#shared/resilience/hints/breaker-hint.ts";
import { controlApp } from "../app.ts";
import { type FakeControlPlane, fakeControlPlane } from "../fake-control-plane.ts";
import { QUORUM } from "./quorum.ts";

const ADMIN = "the-first-admins-token";
const NAME = { service: "orders", instance: "orders-1" };
const OPEN: BreakerReport = { ...NAME, state: "open", calls: 20, failures: 15 };

let fake: ReturnType<typeof fakeControlPlane>;
let plane: FakeControlPlane;
let app: ReturnType<typeof controlApp>;
let epoch: number;

/** Two control isolates: what one remembers the other does not know. */
let otherApp: ReturnType<typeof controlApp>;

beforeEach(async () => {
  fake = fakeControlPlane();
  plane = fake.boot();
  const options = { actor: plane.telling, adminToken: ADMIN, clock: () => fake.state.now, readiness: [] };
  app = controlApp(options);
  otherApp = controlApp(options);
  const registration = { version: "1.0.0", binding: "ORDERS", weight: 1, metadata: {} };
  const made = await plane.registerInstance({
    service: NAME.service,
    id: NAME.instance,
    registration: { ...registration, health: false, state: "up" },
  });
  if (!made.ok) throw new Error(made.error.detail);
  epoch = (await plane.status(undefined)).epoch;
});

const look = async (more: Partial<Look> = {}, through = app): Promise<Changes | undefined> => {
  const body = JSON.stringify({ service: "gateway", profile: "default", isolate: "i-0", epoch, ...more });
  const headers = { "content-type": "application/json" };
  const answer = await through.fetch(
    new Request("http://control/internal/changes", { method: "POST", headers, body }),
  );
  expect(answer.status).toBeOneOf([200, 204]);
  return answer.status === 200 ? ((await answer.json()) as Changes) : undefined;
};

const get = async (path: string, token = ADMIN) =>
  app.fetch(
    new Request(`http://control/control/v1${path}`, { headers: { authorization: `Bearer ${token}` } }),
  );

const threeSayOpen = async (report = OPEN) => {
  for (const isolate of ["a", "b", "c"]) await look({ isolate, breakers: [report] });
  fake.state.now += QUORUM.askMs;
};

describe("an isolate that looks", () => {
  test("is asked about an instance as soon as somebody says that it fails, under the same epoch", async () => {
    expect(await look()).toBeUndefined();
    await look({ isolate: "a", breakers: [OPEN] });
    const changes = await look();
    expect(changes).toMatchObject({ epoch, services: [], whole: false });
    expect(changes?.breakers).toEqual({ hints: [], asked: [NAME] });
  });

  test("is hinted at it when three say so, beside whatever else is new to it", async () => {
    await threeSayOpen();
    const cold = await look({ epoch: 0 });
    expect(cold).toMatchObject({ whole: true, services: [{ service: "orders" }] });
    for (const changes of [cold, await look()])
      expect(changes?.breakers?.hints).toMatchObject([{ ...NAME, forMs: QUORUM.hintMs }]);
  });

  test("hears of it from a control isolate that did not hear of it itself, within its memory", async () => {
    await look({}, otherApp);
    await threeSayOpen();
    fake.state.now += LIMITS.controlMemoryMs;
    const first = await look({}, otherApp);
    expect(first?.breakers?.hints).toHaveLength(1);
    expect(await look({ isolate: "i-1" }, otherApp)).toEqual({ ...first, changedAt: 0 });
  });

  test("is told nothing of what is not registered", async () => {
    await threeSayOpen({ ...OPEN, instance: "made-up" });
    expect(await look()).toBeUndefined();
  });

  test("raises no epoch by its reports, and wakes no alarm", async () => {
    const { alarmAt } = fake.state;
    await threeSayOpen();
    expect((await plane.status(undefined)).epoch).toBe(epoch);
    expect(fake.state.alarmAt).toBe(alarmAt);
  });

  test("hears of no hint from an Actor that began anew", async () => {
    await threeSayOpen();
    expect((await look())?.breakers?.hints).toHaveLength(1);
    expect(await fake.boot().look({ service: "gateway", profile: "default", isolate: "i", epoch })).toBe(
      undefined,
    );
  });
});

test("a process hears nothing of breakers: nothing new is nothing at all", async () => {
  await threeSayOpen();
  expect((await get(`/changes?service=orders&epoch=${epoch}`)).status).toBe(204);
  const all = (await (await get("/changes?service=orders&epoch=0")).json()) as Changes;
  expect(all.services).toHaveLength(1);
  expect(all).not.toHaveProperty("breakers");
});

test("a look with a report of another form is refused", async () => {
  for (const wrong of [
    { ...OPEN, state: "ajar" },
    { ...OPEN, calls: -1 },
    { ...OPEN, instance: "x".repeat(LIMITS.breakerNameCharacters + 1) },
  ]) {
    const body = { service: "gateway", profile: "default", isolate: "i", epoch, breakers: [wrong] };
    const answer = await app.fetch(
      new Request("http://control/internal/changes", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    expect(answer.status).toBe(400);
  }
});

describe("an operator who may read", () => {
  test("sees which instances fail for how many, and since when others are hinted at them", async () => {
    expect(await (await get("/breakers")).json()).toEqual({ items: [] });
    await threeSayOpen();
    await look();
    const since = new Date(fake.state.now).toISOString();
    const made = await app.fetch(
      new Request("http://control/control/v1/tokens", {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
        body: JSON.stringify({ name: "reader", role: "read", ttlSeconds: 60 }),
      }),
    );
    const { token } = (await made.json()) as { token: string };
    expect(await (await get("/breakers", token)).json()).toEqual({
      items: [{ ...NAME, open: 3, failing: 3, well: 0, calls: 60, failures: 45, hintSince: since }],
    });
  });

  test("finds it in the control plane's OpenAPI document", async () => {
    const { paths } = (await (await get("/openapi.json")).json()) as { paths: Record<string, object> };
    expect(Object.keys(paths["/control/v1/breakers"] ?? paths["/breakers"] ?? {})).toEqual(["get"]);
  });
});
