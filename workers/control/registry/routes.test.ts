import { beforeEach, describe, expect, test } from "vitest";
import { createServiceApp, type ServiceApp } from "#shared/http/service-app.ts";
import { err, ok } from "#shared/result.ts";
import { CONTROL, CONTROL_PROBLEMS } from "../contract.ts";
import type { RegisteredInstance, Registration, RegistryMethods } from "./registration.ts";
import { addRegistryRoutes } from "./routes.ts";

const AT = Date.UTC(2026, 0, 31, 12);
const PATH = "/control/v1/registry/reviews/instances/a";

let app: ServiceApp;
let said: Registration[];
let drains: number[];

const known: RegisteredInstance = {
  service: "reviews",
  id: "a",
  version: "1.0.0",
  url: "http://10.0.0.1",
  state: "up",
  weight: 100,
  metadata: {},
  health: false,
  ttlSeconds: 30,
  registeredAt: AT,
  leaseEndsAt: AT + 30_000,
};
const unknown = err({ code: "instance_not_found" as const, detail: "Looking." });

const actor: RegistryMethods = {
  async registerInstance({ id, registration }) {
    said.push(registration);
    return ok({ created: id === "a", instance: known, renewWithinSeconds: 10 });
  },
  async drainInstance({ drainSeconds }) {
    drains.push(drainSeconds);
    return ok({ removedAt: AT + drainSeconds * 1_000 });
  },
  setInstanceState: async ({ id, state }) =>
    id === "a" ? ok({ ...known, state: state === "up" ? "up" : "out_of_service" }) : unknown,
  listServices: async ({ after, limit }) => ({
    services: Array.from({ length: limit }, (_, n) => ({
      service: `${after}s${n}`,
      epoch: 1,
      instances: [known],
    })),
    last: after !== "",
  }),
  findService: async ({ service }) =>
    service === "reviews"
      ? ok({ service, epoch: 7, instances: [known] })
      : err({ code: "service_not_registered", detail: "Looking." }),
  findInstance: async ({ id }) => (id === "a" ? ok(known) : unknown),
};

beforeEach(() => {
  said = [];
  drains = [];
  app = createServiceApp({
    name: CONTROL.service,
    major: CONTROL.major,
    description: "",
    problems: CONTROL_PROBLEMS,
    readiness: [],
  });
  addRegistryRoutes(app, { actor });
});

const put = (path: string, body: unknown) =>
  app.request(path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const atUrl = { version: "1.0.0", url: "http://10.0.0.1", ttlSeconds: 30 };

describe("registering", () => {
  test("answers 201 with the instance, its address and when to renew; then 200", async () => {
    const created = await put(PATH, atUrl);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(PATH);
    expect(await created.json()).toEqual({
      ...known,
      registeredAt: "2026-01-31T12:00:00.000Z",
      leaseEndsAt: "2026-01-31T12:00:30.000Z",
      renewWithinSeconds: 10,
    });
    expect((await put(PATH.replace(/a$/, "b"), atUrl)).status).toBe(200);
  });

  test("has sensible defaults", async () => {
    await put(PATH, { version: "1.0.0", binding: "REVIEWS" });
    expect(said).toEqual([
      {
        version: "1.0.0",
        binding: "REVIEWS",
        weight: 100,
        metadata: {},
        health: { path: "/healthz", intervalSeconds: 5, timeoutMs: 1_000, rise: 2, fall: 3 },
        state: "up",
      },
    ]);
    await put(PATH, { ...atUrl, health: { path: "/ok" } });
    expect(said[1]?.health).toMatchObject({ path: "/ok", intervalSeconds: 5 });
  });

  test.each([
    ["no place", { version: "1.0.0" }],
    ["two places", { ...atUrl, binding: "REVIEWS" }],
    ["a URL without a lease", { version: "1.0.0", url: "http://10.0.0.1" }],
    ["a binding with a lease", { version: "1.0.0", binding: "REVIEWS", ttlSeconds: 30 }],
    ["no version", { url: "http://10.0.0.1", ttlSeconds: 30 }],
    ["a version that is none", { ...atUrl, version: "v1" }],
    ["a version with a leading zero", { ...atUrl, version: "01.0.0" }],
    ["a lease that is too short", { ...atUrl, ttlSeconds: 4 }],
    ["a lease that is too long", { ...atUrl, ttlSeconds: 3_601 }],
    ["a weight below 0", { ...atUrl, weight: -1 }],
    ["a weight above 1000", { ...atUrl, weight: 1_001 }],
    ["a probe's path that is none", { ...atUrl, health: { path: "healthz" } }],
    ["a probe that never rests", { ...atUrl, health: { intervalSeconds: 0 } }],
    ["a state that is not its own to say", { ...atUrl, state: "out_of_service" }],
    ["a field that nobody knows", { ...atUrl, colour: "red" }],
    ["metadata that is no text", { ...atUrl, metadata: { a: 1 } }],
    [
      "too many entries",
      { ...atUrl, metadata: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, ""])) },
    ],
    ["too much metadata", { ...atUrl, metadata: { a: "é".repeat(600), b: "é".repeat(600) } }],
    ["a list", []],
  ])("with %s is refused", async (_, body) => {
    const refused = await put(PATH, body);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ type: "/problems/invalid_body" });
    expect(said).toEqual([]);
  });

  test.each([
    "control",
    "monitor",
    "problems",
    "internal",
    "healthz",
    "shared",
    "Reviews",
    "9",
    "a.b",
    "x".repeat(64),
  ])("a service named %s is refused", async (service) => {
    const refused = await put(`/control/v1/registry/${service}/instances/a`, atUrl);
    expect(refused.status).toBe(400);
    expect(said).toEqual([]);
  });
});

describe("an instance", () => {
  test("is read, and one that is not there is 404", async () => {
    expect(await (await app.request(PATH)).json()).toMatchObject({ id: "a", state: "up" });
    expect((await app.request(PATH.replace(/a$/, "b"))).status).toBe(404);
  });

  test("drains for ten seconds, or for as long as is asked", async () => {
    const drained = await app.request(PATH, { method: "DELETE" });
    expect(drained.status).toBe(202);
    expect(await drained.json()).toEqual({ state: "draining", removedAt: "2026-01-31T12:00:10.000Z" });
    await app.request(`${PATH}?drainSeconds=0`, { method: "DELETE" });
    expect(drains).toEqual([10, 0]);
    for (const bad of ["-1", "3601", "x", "1.5"]) {
      expect((await app.request(`${PATH}?drainSeconds=${bad}`, { method: "DELETE" })).status).toBe(400);
    }
  });

  test("is taken out of service by an operator, who can say nothing else than that and the end of it", async () => {
    const ordered = await put(`${PATH}/state`, { state: "out_of_service" });
    expect(await ordered.json()).toMatchObject({ state: "out_of_service" });
    expect((await put(`${PATH}/state`, { state: "down" })).status).toBe(422);
    expect((await put(`${PATH.replace(/a$/, "b")}/state`, { state: "up" })).status).toBe(404);
  });
});

describe("services", () => {
  test("are read one by one, and one without instances is 404", async () => {
    expect(await (await app.request("/control/v1/registry/reviews")).json()).toMatchObject({ epoch: 7 });
    const missing = await app.request("/control/v1/registry/nothing");
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ type: "/problems/service_not_registered" });
  });

  test("are listed in pages that lead on until the last", async () => {
    const first = await app.request("/control/v1/registry?limit=2");
    const next = /<(.+)>; rel="next"/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await app.request(next);
    expect(await second.json()).toMatchObject({ items: [{ service: "s1s0" }, { service: "s1s1" }] });
    expect(second.headers.get("link")).toBeNull();
  });
});

test("the routes have a document", async () => {
  const document = await (await app.request("/control/v1/openapi.json")).json();
  expect(Object.keys((document as { paths: object }).paths)).toHaveLength(4);
});
