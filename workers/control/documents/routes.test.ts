import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createServiceApp } from "#shared/http/service-app.ts";
import { LIMITS } from "#shared/limits.ts";
import { testDocuments } from "#test/fake/document-store.ts";
import { CONTROL, CONTROL_PROBLEMS } from "../contract.ts";
import type { Caller } from "../tokens/caller.ts";
import { bodyBytesMax } from "./body-bytes.ts";
import type { DocumentMethods } from "./document-store.ts";
import { addDocumentRoutes } from "./routes.ts";

const service = () => {
  const documents = testDocuments();
  const app = createServiceApp({
    name: CONTROL.service,
    major: CONTROL.major,
    description: "",
    problems: CONTROL_PROBLEMS,
    readiness: [],
    bodyBytesMax,
  });
  const caller: Caller = { name: "ann", role: "write" };
  app.use(async (c, next) => {
    c.set("caller" as never, caller as never);
    await next();
  });
  // As over a network: every call's argument and answer is copied.
  const copied = Object.fromEntries(
    Object.entries(documents.methods).map(([name, method]) => [
      name,
      async (input: never) => structuredClone(await method(structuredClone(input))),
    ]),
  ) as unknown as DocumentMethods;
  addDocumentRoutes(app, { actor: () => copied });

  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(`/control/v1${path}`, {
      method,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    });
  const get = (path: string, headers?: Record<string, string>) => send("GET", path, undefined, headers);
  return { documents, send, get };
};

const ORDERS = "/documents/orders/default";
const problemOf = async (response: Response) => {
  const { type, errors } = (await response.json()) as { type: string; errors?: { path: string }[] };
  return [response.status, type.replace("/problems/", ""), ...(errors ?? []).map(({ path }) => path)];
};

describe("documents over HTTP", () => {
  test("are created with 201, changed with 200 on their ETag, and read with it", async () => {
    const { send, get } = service();
    const created = await send("PUT", ORDERS, { content: { ttl: 1 }, reason: "first" });
    expect([created.status, created.headers.get("etag"), created.headers.get("location")]).toEqual([
      201,
      '"1"',
      "/control/v1/documents/orders/default",
    ]);
    const changed = await send("PUT", ORDERS, { content: { ttl: 2 } }, { "if-match": '"1"' });
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"2"']);
    const read = await get(ORDERS);
    expect(read.headers.get("etag")).toBe('"2"');
    expect(await read.json()).toMatchObject({ revision: 2, content: { ttl: 2 }, author: "ann" });
    expect((await get(ORDERS, { "if-none-match": '"2"' })).status).toBe(304);
  });

  test("are refused by a problem that names each condition", async () => {
    const { send, get } = service();
    const put = (headers?: Record<string, string>) => send("PUT", ORDERS, { content: {} }, headers);
    expect(await problemOf(await get(ORDERS))).toEqual([404, "document_not_found"]);
    expect(await problemOf(await put({ "if-match": '"1"' }))).toEqual([412, "document_changed"]);
    expect((await put({ "if-none-match": "*" })).status).toBe(201);
    expect(await problemOf(await put())).toEqual([428, "precondition_required"]);
    expect(await problemOf(await put({ "if-none-match": "*" }))).toEqual([412, "document_changed"]);
    expect(await problemOf(await put({ "if-match": "1" }))).toEqual([400, "invalid_parameter", "if-match"]);
    expect(await problemOf(await send("DELETE", ORDERS))).toEqual([428, "precondition_required"]);
    const removed = await send("DELETE", `${ORDERS}?reason=old`, undefined, { "if-match": '"1"' });
    expect([removed.status, await removed.text()]).toEqual([204, ""]);
    expect(await problemOf(await get(ORDERS))).toEqual([404, "document_not_found"]);
  });

  test.each<[string, unknown, unknown[]]>([
    ["an array", { content: [] }, [422, "invalid_body", "content"]],
    ["null", { content: null }, [422, "invalid_body", "content"]],
    ["no content", {}, [422, "invalid_body", "content"]],
    ["an unknown field", { content: {}, more: 1 }, [422, "invalid_body", "more"]],
    ["a long reason", { content: {}, reason: "x".repeat(2_000) }, [422, "invalid_body", "reason"]],
    ["flags of another form", { content: { flags: 1 } }, [422, "config_does_not_fit", "flags"]],
    ["a secret of another form", { content: { a: { $secret: 1 } } }, [422, "config_does_not_fit", "a"]],
    [
      "a secret that is not there",
      { content: { a: { $secret: { fingerprint: "0" } } } },
      [422, "secret_not_known", "a"],
    ],
    ["more than a body may bring", { content: { a: "x".repeat(2 ** 21) } }, [413, "body_too_large"]],
    [
      "more than is stored of one document",
      `{"content": {"a": [${"1e20,".repeat(100_000)}1]}}`,
      [422, "config_does_not_fit", ""],
    ],
    [
      "a roll-out without steps",
      { content: {}, rollout: { by: "key", steps: [], errorRateRise: 0 } },
      [422, "invalid_body", "rollout.steps"],
    ],
  ])("refuse %s and keep nothing", async (_, body, problem) => {
    const { documents, send } = service();
    const before = documents.dump();
    expect(await problemOf(await send("PUT", ORDERS, body))).toEqual(problem);
    expect(documents.dump()).toBe(before);
  });

  test("keep no name of a content aside: `__proto__` is refused, not dropped", async () => {
    const { send } = service();
    const body = JSON.parse('{"content": {"__proto__": {"admin": true}}}');
    expect(await problemOf(await send("PUT", ORDERS, body))).toEqual([
      422,
      "config_does_not_fit",
      "__proto__",
    ]);
  });

  test.each(["Orders", "1a", "a_b", "a.b", "x".repeat(64)])("refuse the name %s", async (name) => {
    const { send } = service();
    const refused = await send("PUT", `/documents/${name}/default`, { content: {} });
    expect(await problemOf(refused)).toEqual([400, "invalid_parameter", "service"]);
  });

  test("roll out a candidate without an ETag of its own", async () => {
    const { send, get } = service();
    await send("PUT", ORDERS, { content: { ttl: 1 } });
    const rollout = { by: "isolate", steps: [{ percentage: 10.55, seconds: 60 }], errorRateRise: 0.01 };
    const headers = { "if-match": '"1"' };
    const started = await send("PUT", ORDERS, { content: { ttl: 2 }, rollout }, headers);
    expect([started.status, started.headers.get("etag")]).toEqual([200, null]);
    expect(await started.json()).toMatchObject({ kind: "candidate", revision: 2 });
    const read = await get(ORDERS, { "if-none-match": '"1"' });
    expect(await read.json()).toMatchObject({ revision: 1, candidate: 2, content: { ttl: 1 } });
    expect(await problemOf(await send("PUT", ORDERS, { content: {} }, headers))).toEqual([
      409,
      "rollout_under_way",
    ]);
  });

  test("are listed in pages, and so is their history", async () => {
    const { send, get } = service();
    for (const name of ["a/default", "a/production", "b/default"]) {
      await send("PUT", `/documents/${name}`, { content: {} });
    }
    const namesBy = async (path: string, key: string) => {
      const found: unknown[] = [];
      for (let next: string | undefined = path; next; ) {
        const page: Response = await get(next);
        const { items } = (await page.json()) as { items: Record<string, unknown>[] };
        found.push(items.map((item) => item[key]));
        next = /<\/control\/v1([^>]+)>/.exec(page.headers.get("link") ?? "")?.[1];
      }
      return found;
    };
    expect(await namesBy("/documents?limit=2", "service")).toEqual([["a", "a"], ["b"]]);
    await send("PUT", "/documents/a/default", { content: { x: 1 } }, { "if-match": "*" });
    await send("PUT", "/documents/a/default", { content: { x: 2 } }, { "if-match": "*" });
    expect(await namesBy("/documents/a/default/history?limit=2", "revision")).toEqual([[3, 2], [1]]);
    expect(await problemOf(await get("/documents?cursor=eyJ4IjoxfQ"))).toEqual([400, "invalid_parameter"]);
  });

  test("are shown as they were, compared, and rolled back", async () => {
    const { send, get } = service();
    await send("PUT", ORDERS, { content: { ttl: 1 } });
    await send("PUT", ORDERS, { content: { ttl: 2 } }, { "if-match": '"1"' });
    expect(await (await get(`${ORDERS}/revisions/1`)).json()).toMatchObject({ content: { ttl: 1 } });
    expect(await problemOf(await get(`${ORDERS}/revisions/9`))).toEqual([404, "revision_not_found"]);
    expect(await (await get(`${ORDERS}/diff?from=1&to=2`)).json()).toEqual({
      changes: [{ path: "ttl", before: 1, after: 2 }],
    });
    const back = await send("POST", `${ORDERS}/rollbacks`, { revision: 1 });
    expect([back.status, back.headers.get("etag")]).toEqual([200, '"3"']);
    expect(await back.json()).toMatchObject({ reason: "Back to revision 1", content: { ttl: 1 } });
  });

  test("make an effective configuration that says where each value is from", async () => {
    const { send, get } = service();
    await send("PUT", "/documents/shared/default", { content: { a: 1, b: 1 } });
    await send("PUT", "/documents/orders/production", { content: { b: 2 } });
    expect(await (await get("/effective/orders/production")).json()).toMatchObject({
      value: { a: 1, b: 2 },
      origins: {
        a: { document: "shared/default", revision: 1 },
        b: { document: "orders/production", revision: 1 },
      },
    });
  });

  test("leave as JSON or YAML, and come back as one import", async () => {
    const { send, get } = service();
    await send("PUT", ORDERS, { content: { text: "a: b\n#c", list: [1, null], yes: "no" } });
    const exported = await (await get("/export")).json();
    const yaml = await get("/export", { accept: "application/yaml" });
    expect(yaml.headers.get("content-type")).toBe("application/yaml");
    expect(parse(await yaml.text())).toEqual(exported);
    const into = service();
    const tried = await into.send("POST", "/imports?dryRun=true", exported);
    expect(await tried.json()).toMatchObject({ dryRun: true, documents: [{ action: "created" }] });
    expect((await into.get(ORDERS)).status).toBe(404);
    await into.send("POST", "/imports", { ...(exported as object), reason: "moved" });
    expect(await (await into.get("/export")).json()).toEqual(exported);
    const twice = { documents: [1, 2].map(() => ({ service: "a", profile: "b", content: {} })) };
    expect(await problemOf(await into.send("POST", "/imports", twice))).toEqual([
      422,
      "invalid_body",
      "documents",
    ]);
  });

  test("are exported whole also when they are more than one page of the Actor", async () => {
    const { documents, get } = service();
    const none = { accept: "application/yaml" };
    expect(await (await get("/export")).json()).toEqual({ documents: [] });
    expect(parse(await (await get("/export", none)).text())).toEqual({ documents: [] });
    const texts = Array.from({ length: 16 }, () => "x".repeat(LIMITS.configTextCharacters));
    const names = Array.from({ length: 18 }, (_, n) => `service-${n + 10}`);
    for (const name of names) await documents.put(`${name}/default`, { name, texts });
    const first = await documents.methods.exportDocuments({});
    expect(first).toMatchObject({ ok: true, value: { more: true } });
    const { documents: all } = (await (await get("/export")).json()) as {
      documents: { service: string; content: object }[];
    };
    expect(all.map(({ service: owner }) => owner)).toEqual(names);
    expect(all[17]?.content).toEqual({ name: "service-27", texts });
    expect(parse(await (await get("/export", none)).text())).toEqual({ documents: all });
  });

  test("are checked by schemas, which are declared and read, and say what does not fit", async () => {
    const { send, get } = service();
    await send("PUT", ORDERS, { content: { ttl: "x" } });
    const schema = { type: "object", properties: { ttl: { type: "integer" } } };
    const declared = await send("PUT", "/schemas/orders", { schema });
    expect(await declared.json()).toMatchObject({ schema, faults: [{ path: "orders/default#ttl" }] });
    expect(await (await get("/schemas/orders")).json()).toMatchObject({ service: "orders", schema });
    expect(await problemOf(await get("/schemas/payments"))).toEqual([404, "schema_not_found"]);
    const bad = await send("PUT", "/schemas/orders", { schema: { type: "object", properties: 1 } });
    expect((await problemOf(bad)).slice(0, 2)).toEqual([422, "schema_not_valid"]);
    const refused = await send("PUT", ORDERS, { content: { ttl: 1.5 } }, { "if-match": '"1"' });
    expect(await problemOf(refused)).toEqual([422, "config_does_not_fit", "ttl"]);
  });

  test("have their secrets sealed anew on request", async () => {
    const { send } = service();
    const rotated = await send("POST", "/secrets/rotations");
    expect(await rotated.json()).toEqual({ key: "k1", resealed: 0, failed: [] });
  });

  test("are described in the service's document", async () => {
    const { get } = service();
    const { paths } = (await (await get("/openapi.json")).json()) as { paths: Record<string, object> };
    expect(Object.keys(paths)).toContain("/control/v1/documents/{service}/{profile}/rollbacks");
  });
});
