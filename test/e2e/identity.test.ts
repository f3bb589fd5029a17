/** Who calls, through a whole system: found out by the gateway, told to services, and believed of nobody else. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controlClient } from "#cli/control-client.ts";
import { newKey } from "#shared/config/sealing.ts";
import { newApiKey } from "#shared/identity/api-key.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { eventually, expectStatus, type Shop, shopOf } from "./shop.ts";
import { startWhoService, type WhoService } from "./who-service.ts";

const CATALOG = "skerry-catalog";
const PRODUCTS = "/catalog/v1/products";
const FORGED = "e30.e30.e30";

let system: TestSystem;
let shop: Shop;
let who: WhoService;
let key: string;

beforeAll(async () => {
  system = await startTestSystem({ sockets: [CATALOG] });
  shop = shopOf(system);
  who = await startWhoService(system.url);
  const made = await newApiKey("partner");
  key = made.key;
  const control = controlClient({ url: system.url, token: system.controlToken });
  const [, sessionKey = ""] = newKey("k1").split(":");
  const content = {
    services: {
      who: {
        authentication: {
          optional: true,
          apiKeys: { keys: { partner: { hash: made.hash, owner: "Partner Ltd", scopes: ["who:read"] } } },
        },
        session: {
          keys: [{ id: "k1", key: { $secret: sessionKey } }],
          store: "kv",
          authenticates: true,
          csrf: false,
        },
      },
    },
  };
  await control.publish({ service: "gateway", profile: "default" }, { content });
  const instance = { version: "1.0.0", url: who.url, ttlSeconds: 600 };
  await control.registerInstance("who", "who-1", instance);
  await eventually(async () => expectStatus(await shop.request("/who/v1/me"), 200));
});
afterAll(async () => {
  await who?.close();
  await system?.close();
});

const me = async (headers: Readonly<Record<string, string>> = {}) =>
  expectStatus(await shop.request("/who/v1/me", { headers }), 200).body;

describe("a worker that is reached past the gateway", () => {
  const direct = (path: string, init?: RequestInit) => fetch(`${system.services[CATALOG]}${path}`, init);

  test.each([
    ["identity_missing", {}],
    ["identity_not_valid", { "skerry-internal-identity": FORGED }],
  ])("answers nothing and changes nothing: %s", async (code, headers) => {
    for (const init of [{ headers }, { headers, method: "PUT", body: "{}" }]) {
      const answer = await direct(`${PRODUCTS}/direct`, init);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ type: `/problems/${code}` });
    }
    expectStatus(await shop.request(`${PRODUCTS}/direct`), 404);
  });

  test.each(["/healthz", "/readyz", "/catalog/v1/openapi.json"])("answers the platform: %s", async (path) => {
    expect((await direct(path)).status).toBe(200);
  });
});

test("through the gateway it answers, and orders gets its prices from it", async () => {
  await shop.offer("tea", { amount: 5, pieces: 10 });
  expect(await shop.placeAndSettle([{ sku: "tea", quantity: 1 }])).toMatchObject({ status: "confirmed" });
});

test("who says nothing is anybody, whatever is said in the gateway's own headers", async () => {
  const anybody = { caller: { subject: "anybody", scopes: [], by: "none" } };
  expect(await me()).toEqual(anybody);
  const forged = { "skerry-internal-identity": FORGED, "skerry-internal-session": "eyJzdWIiOiJtZSJ9" };
  expect(await me(forged)).toEqual(anybody);
});

test("the owner of an API key is known to a service that has the keys from the gateway", async () => {
  expect(await me({ "x-api-key": key })).toEqual({
    caller: { subject: "Partner Ltd", scopes: ["who:read"], by: "api_key" },
  });
  const wrong = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;
  expectStatus(await shop.request("/who/v1/me", { headers: { "x-api-key": wrong } }), 401);
});

test("who has signed in is known by the session, until it is ended, and the cookie is the gateway's alone", async () => {
  const signedIn = expectStatus(await shop.request("/who/v1/session", { method: "PUT" }), 200);
  expect(signedIn.headers.has("skerry-internal-set-session")).toBe(false);
  const [cookie = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
  expect(cookie).toMatch(/^__Host-skerry-session=./);
  expect(await me({ cookie })).toEqual({
    caller: { subject: "alice", scopes: ["who:read"], by: "session" },
    session: { sub: "alice", scopes: ["who:read"] },
  });
  expectStatus(await shop.request("/who/v1/session", { method: "DELETE", headers: { cookie } }), 200);
  expect(await me({ cookie })).toEqual({ caller: { subject: "anybody", scopes: [], by: "none" } });
});
