/** Two tenants of one service, behind the gateway and with the same ids: neither finds anything of the other one. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { controlClient } from "#cli/control-client.ts";
import { logStream } from "#nats/subjects.ts";
import type { JsonObject } from "#shared/control/changes.ts";
import { POSITION_HEADER } from "#shared/cqrs/position.ts";
import { OPERATE_SCOPE } from "#shared/cqrs/subscription-access.ts";
import { newApiKey } from "#shared/identity/api-key.ts";
import { eventually, expectStatus, type Shop, shopOf } from "../e2e/shop.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { type NotesService, startNotesService } from "./notes-service.ts";

const NOTES = "/notes/v1/notes";

let system: TestSystem;
let shop: Shop;
let notes: NotesService;
const keys = new Map<string, string>();

const KEYS = {
  acme: { tenant: "acme" },
  rival: { tenant: "rival" },
  spy: { tenant: "rival", scopes: [OPERATE_SCOPE] },
  operator: { scopes: [OPERATE_SCOPE] },
};

beforeAll(async () => {
  system = await startTestSystem();
  shop = shopOf(system);
  notes = await startNotesService(system);
  const entries: Record<string, JsonObject> = {};
  for (const [id, entry] of Object.entries(KEYS)) {
    const { key, hash } = await newApiKey(id);
    keys.set(id, key);
    entries[id] = { hash, ...entry };
  }
  const content = {
    services: { notes: { authentication: { apiKeys: { keys: entries }, optional: true }, cache: {} } },
  };
  const control = controlClient({ url: system.url, token: system.controlToken });
  await control.publish({ service: "gateway", profile: "default" }, { content });
  await control.registerInstance("notes", "notes-1", { version: "1.0.0", url: notes.url, ttlSeconds: 600 });
  await eventually(async () => expectStatus(await as("acme", "/notes/v1/tally"), 200));
});
afterAll(async () => {
  await notes?.close();
  await system?.close();
});

const as = (who: string, path: string, init: Parameters<Shop["request"]>[1] = {}) =>
  shop.request(path, { ...init, headers: { ...init.headers, "x-api-key": keys.get(who) ?? "" } });

const write = async (who: string, id: string, text: string, key?: string) => {
  const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": `"${key}"` };
  const body = { author: "ada", text };
  return expectStatus(await as(who, `${NOTES}/${id}`, { method: "PUT", body, headers }), 200).headers.get(
    POSITION_HEADER,
  );
};

const list = async (who: string, query = "", headers: Record<string, string> = {}) =>
  expectStatus(await as(who, `${NOTES}${query}`, { headers }), 200);

test("each finds its own notes, in the read model, in their history, and in what a process makes of them", async () => {
  await write("acme", "n1", "acme's");
  await write("acme", "n2", "acme's second");
  const position = await write("rival", "n1", "rival's");
  const headers = { "skerry-min-position": position ?? "" };
  expect((await list("acme", "", headers)).body?.items).toEqual([
    { noteId: "n1", author: "ada", text: "acme's" },
    { noteId: "n2", author: "ada", text: "acme's second" },
  ]);
  expect((await list("rival", "", headers)).body?.items).toEqual([
    { noteId: "n1", author: "ada", text: "rival's" },
  ]);
  const history = async (who: string) => (await as(who, `${NOTES}/n1/events`)).text;
  expect(await history("acme")).toContain("acme's");
  expect(await history("acme")).not.toContain("rival's");
  expect(await history("rival")).toContain("rival's");
  await eventually(async () => {
    const counted = ["acme", "rival"].map((who) => as(who, "/notes/v1/tally"));
    expect((await Promise.all(counted)).map(({ body }) => body?.notes)).toEqual([2, 1]);
  });
});

test("nobody's address, query or header leads into another tenant", async () => {
  await write("acme", "secret", "acme's secret");
  await eventually(async () => expectStatus(await as("acme", `${NOTES}/secret`), 200));
  expectStatus(await as("rival", `${NOTES}/secret`), 404);
  for (const id of ["acme.secret", "acme%2Esecret", "..%2Facme.secret", "*", "%3E"]) {
    const found = await as("rival", `${NOTES}/${id}`);
    expect([400, 404, 422]).toContain(found.status);
    expect(found.text).not.toContain("acme's");
  }
  const headers = {
    "skerry-tenant": "acme",
    "skerry-internal-tenant": "acme",
    "skerry-internal-identity": "e30.e30.e30",
  };
  expect((await as("rival", `${NOTES}/secret/events`, { headers })).body?.items).toEqual([]);
  expect(JSON.stringify((await list("rival", "", headers)).body)).not.toContain("acme's");
});

test("a cursor of one goes on in the other's own list alone", async () => {
  const first = await list("acme", "?limit=1");
  const next = /<[^>]*\?([^>]*)>/.exec(first.headers.get("link") ?? "")?.[1];
  expect(next).toContain("cursor=");
  expect(JSON.stringify((await list("rival", `?${next}`)).body)).not.toContain("acme's");
});

test("an answer that anybody may keep is kept for its own tenant", async () => {
  const read = async (who: string) => {
    const { body, headers } = expectStatus(await as(who, `${NOTES}/n1`), 200);
    return [body?.text, /; hit/.test(headers.get("cache-status") ?? "")];
  };
  expect(await read("acme")).toEqual(["acme's", false]);
  expect(await read("rival")).toEqual(["rival's", false]);
  expect([await read("acme"), await read("rival")]).toEqual([
    ["acme's", true],
    ["rival's", true],
  ]);
});

test("an Idempotency-Key of one says nothing of the other's", async () => {
  const positions = [await write("acme", "k", "mine", "same"), await write("rival", "k", "other", "same")];
  expect(await write("acme", "k", "mine", "same")).toBe(positions[0]);
  expect(await write("rival", "k", "other", "same")).toBe(positions[1]);
  expect(positions[0]).not.toBe(positions[1]);
});

test("who is of no tenant finds nothing, and who is of one does not operate the service", async () => {
  for (const answer of [await shop.request(NOTES), await as("operator", NOTES)]) {
    expect(expectStatus(answer, 403).body).toMatchObject({ type: "/problems/tenant_required" });
  }
  for (const path of ["/notes/v1/parked", "/notes/v1/projections", "/notes/v1/subscriptions"]) {
    expect(expectStatus(await as("spy", path), 403).body).toMatchObject({ type: "/problems/scope_missing" });
    expectStatus(await as("operator", path), 200);
  }
  expect((await fetch(`${notes.url}${NOTES}`)).status).toBe(401);
});

test("a data subject is one tenant's: another one of the same name is not forgotten with it", async () => {
  const forget = (subject: string) =>
    as("operator", "/notes/v1/forgotten", { method: "POST", body: { subject } });
  expectStatus(await forget("ada"), 422);
  const { body } = expectStatus(await forget("acme.ada"), 200);
  const headers = { "skerry-min-position": `notes=${body?.position}` };
  const texts = async (who: string) => {
    const items = (await list(who, "?author=ada", headers)).body?.items ?? [];
    return (items as { text: unknown }[]).map(({ text }) => text);
  };
  expect(new Set(await texts("acme"))).toEqual(new Set([null]));
  expect(await texts("rival")).toContain("rival's");
  await write("rival", "n1", "still here");
});

test("in the log a tenant's history is one wildcard, and each commit says whose it is", async () => {
  const connection = await connect({ servers: system.nats.url });
  const manager = await jetstreamManager(connection);
  const stream = logStream("notes");
  const { state } = await manager.streams.info(stream, { subjects_filter: "log.notes.*.acme.>" });
  const all = await manager.streams.info(stream, { subjects_filter: "log.notes.>" });
  const others = Object.keys(all.state.subjects ?? {}).filter(
    (subject) => !(subject in (state.subjects ?? {})),
  );
  expect(Object.keys(state.subjects ?? {})).toContain("log.notes.note.acme.n1");
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter((subject) => !/^log\.notes\.[a-z]+\.rival\./.test(subject))).toEqual([]);
  const last = await manager.streams.getMessage(stream, { last_by_subj: "log.notes.note.rival.n1" });
  expect(last?.header.get("Skerry-Tenant")).toBe("rival");
  await connection.close();
});
