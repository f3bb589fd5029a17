/** The control plane as its clients meet it, through a gateway: who may do what, what is refused, and what never shows. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type CallInit, type ManyIsolates, startManyIsolates } from "./many-isolates.ts";

const SOON = { timeout: 5_000, interval: 25 };
const ANY_REVISION = { "if-match": "*" };

let ground: ManyIsolates;

beforeAll(async () => {
  ground = await startManyIsolates({ probes: 2, gateways: 1, lagMs: 0 });
});
afterAll(() => ground?.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON came, for the test to look into
  readonly body: any;
}

const call = async (path: string, init?: CallInit): Promise<Answer> => {
  const response = await ground.call(path, init);
  const text = await response.text();
  const json = /json/.test(response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json ? JSON.parse(text) : undefined,
  };
};

const expectProblem = ({ status, headers, body }: Answer, expected: number, code: string) => {
  expect({ status, type: body?.type }).toEqual({ status: expected, type: `/problems/${code}` });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body.detail).toEqual(expect.any(String));
};

const put = (document: string, content: unknown, headers: Readonly<Record<string, string>> = ANY_REVISION) =>
  call(`/documents/${document}`, { method: "PUT", body: { content }, headers });

const create = async (document: string, content: unknown): Promise<Answer> => {
  const answer = await put(document, content, {});
  expect(answer.status, answer.text).toBe(201);
  return answer;
};

describe("a token", () => {
  const make = async (body: object): Promise<{ id: string; token: string }> => {
    const made = await call("/tokens", { method: "POST", body });
    expect(made.status, made.text).toBe(201);
    return made.body;
  };
  const as = (token: string, path: string, init: CallInit = {}) =>
    call(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

  test("is needed", async () => {
    for (const authorization of ["", "Bearer", "Basic YTpi", "Bearer "]) {
      const answer = await call("/documents", { headers: { authorization } });
      expectProblem(answer, 401, "token_missing");
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    }
  });

  test("that nobody made is refused", async () => {
    expectProblem(await as("skerry_never-made", "/documents"), 401, "token_unknown");
  });

  test("that has expired is refused", async () => {
    const { token } = await make({ name: "short", role: "read", ttlSeconds: 1 });
    await vi.waitFor(async () => expectProblem(await as(token, "/documents"), 401, "token_expired"), SOON);
  });

  test("that was revoked is refused", async () => {
    const { id, token } = await make({ name: "gone", role: "read", ttlSeconds: 60 });
    expect((await as(token, "/documents")).status).toBe(200);
    expect((await call(`/tokens/${id}`, { method: "DELETE" })).status).toBe(204);
    expectProblem(await as(token, "/documents"), 401, "token_unknown");
  });

  test("of the role read may read and nothing else", async () => {
    const { token } = await make({ name: "reader", role: "read", ttlSeconds: 60 });
    for (const path of ["/documents", "/registry", "/status", "/export", "/rollouts"]) {
      expect((await as(token, path)).status, path).toBe(200);
    }
    const write = { method: "PUT", body: { content: {} } };
    expectProblem(await as(token, "/documents/roles/default", write), 403, "role_too_small");
    const instance = { method: "PUT", body: { version: "1.0.0", url: "http://127.0.0.1:1", ttlSeconds: 60 } };
    expectProblem(await as(token, "/registry/roles/instances/a", instance), 403, "role_too_small");
    expectProblem(await as(token, "/tokens"), 403, "role_too_small");
  });

  test("of the role write may change documents, but no tokens and no keys", async () => {
    const { token } = await make({ name: "writer", role: "write", ttlSeconds: 60 });
    const write = { method: "PUT", body: { content: { a: 1 } } };
    expect((await as(token, "/documents/roles/default", write)).status).toBe(201);
    const history = await as(token, "/documents/roles/default/history");
    expect(history.body.items[0]).toMatchObject({ author: "writer" });
    const body = { name: "more", role: "admin", ttlSeconds: 60 };
    expectProblem(await as(token, "/tokens", { method: "POST", body }), 403, "role_too_small");
    expectProblem(await as(token, "/secrets/rotations", { method: "POST", body: {} }), 403, "role_too_small");
  });

  test("for one service may not touch another one", async () => {
    const { token } = await make({ name: "one", role: "write", services: ["mine"], ttlSeconds: 60 });
    const write = { method: "PUT", body: { content: {} } };
    expect((await as(token, "/documents/mine/default", write)).status).toBe(201);
    expectProblem(await as(token, "/documents/theirs/default", write), 403, "role_too_small");
    expectProblem(await as(token, "/documents/shared/default", write), 403, "role_too_small");
    const imported = { method: "POST", body: { documents: [] } };
    expectProblem(await as(token, "/imports", imported), 403, "role_too_small");
  });

  test("lets nobody ask as an isolate does from outside", async () => {
    const [gateway = ""] = ground.gateways;
    const look = { service: "probe", profile: "default", isolate: "x", epoch: 0 };
    const init = {
      method: "POST",
      body: JSON.stringify(look),
      headers: { "content-type": "application/json" },
    };
    for (const path of [
      "/internal/changes",
      "/control/internal/changes",
      "/control/v1/../../internal/changes",
    ]) {
      expect((await fetch(`${gateway}${path}`, init)).status, path).toBe(404);
    }
  });
});

describe("a document", () => {
  test("is merged from the shared and the service's own ones, and says where each value came from", async () => {
    await create("merged/default", { a: 1, deep: { x: 1, y: 1 }, list: [1, 2] });
    await create("shared/stage", { a: 2, deep: { y: 2 } });
    await create("merged/stage", { deep: { x: 3 }, list: [3] });
    const { body } = await call("/effective/merged/stage");
    expect(body.value).toEqual({ a: 2, deep: { x: 3, y: 2 }, list: [3] });
    expect(body.origins).toMatchObject({
      a: { document: "shared/stage", revision: 1 },
      "deep.x": { document: "merged/stage", revision: 1 },
      "deep.y": { document: "shared/stage", revision: 1 },
      list: { document: "merged/stage", revision: 1 },
    });
  });

  test("has one winner when two write at once; the other is told", async () => {
    const created = await create("rivals/default", { turn: 0 });
    const condition = { "if-match": created.headers.get("etag") ?? "" };
    const both = await Promise.all([1, 2].map((turn) => put("rivals/default", { turn }, condition)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    const loser = both.find(({ status }) => status === 412);
    if (loser) expectProblem(loser, 412, "document_changed");
    const history = await call("/documents/rivals/default/history");
    expect(history.body.items).toHaveLength(2);
  });

  test("that stands is not overwritten by who has not seen it", async () => {
    await create("unseen/default", { a: 1 });
    expectProblem(await put("unseen/default", { a: 2 }, {}), 428, "precondition_required");
    expect((await call("/documents/unseen/default")).body.content).toEqual({ a: 1 });
  });

  test("goes back to any revision, and history tells who, when, why and what", async () => {
    await create("back/default", { a: 1, b: 1 });
    await put("back/default", { a: 2 });
    const body = { revision: 1, reason: "it was better" };
    expect(
      (await call("/documents/back/default/rollbacks", { method: "POST", body, headers: ANY_REVISION }))
        .status,
    ).toBe(200);
    const { body: now } = await call("/documents/back/default");
    expect(now).toMatchObject({ revision: 3, content: { a: 1, b: 1 } });
    const { body: history } = await call("/documents/back/default/history");
    expect(history.items[0]).toMatchObject({ revision: 3, author: "admin", reason: "it was better" });
    expect(history.items[0].changes).toEqual([
      { path: "a", before: 2, after: 1 },
      { path: "b", after: 1 },
    ]);
  });

  test("that does not fit the service's schema is refused with the path of each fault, and changes nothing", async () => {
    const schema = {
      type: "object",
      properties: {
        port: { type: "integer", minimum: 1 },
        mode: { enum: ["slow", "fast"] },
        key: { type: "string", secret: true },
      },
      required: ["mode"],
      additionalProperties: false,
    };
    expect((await call("/schemas/strict", { method: "PUT", body: { schema } })).status).toBeLessThan(300);
    await create("strict/default", { mode: "slow" });
    const { body: before } = await call("/status");
    const refused = await put("strict/default", { mode: "none", port: 0, extra: 1, key: "in clear" });
    expectProblem(refused, 422, "config_does_not_fit");
    const paths = refused.body.errors.map(({ path }: { path: string }) => path);
    for (const field of ["extra", "key", "mode", "port"]) {
      expect(paths).toContainEqual(expect.stringMatching(new RegExp(`^(strict/default#)?${field}$`)));
    }
    expect(refused.text).not.toContain("in clear");
    expectProblem(await put("strict/default", {}), 422, "config_does_not_fit");
    expectProblem(await put("shared/default", { port: 0 }, {}), 422, "config_does_not_fit");
    expect((await call("/status")).body.epoch).toBe(before.epoch);
    expect((await call("/documents/strict/default")).body).toMatchObject({
      revision: 1,
      content: { mode: "slow" },
    });
  });

  test("that the service itself cannot take leaves its last good one in force, and is reported", async () => {
    const marks = () =>
      Promise.all(
        ground.probes.map(async (probe) => ((await (await fetch(probe)).json()) as { mark: number }).mark),
      );
    await create("probe/default", { mark: 5 });
    await vi.waitFor(async () => expect(await marks()).toEqual([5, 5]), SOON);
    // The probes have declared no schema, so nothing is checked before they get it.
    expect((await put("probe/default", { mark: "five" })).status).toBe(200);
    await vi.waitFor(async () => {
      await marks();
      const { body } = await call("/status");
      expect(body.rejected).toContainEqual(
        expect.objectContaining({
          service: "probe",
          profile: "default",
          faults: [expect.objectContaining({ path: "mark" })],
        }),
      );
    }, SOON);
    expect(await marks()).toEqual([5, 5]);
    expect((await put("probe/default", { mark: 6 })).status).toBe(200);
    await vi.waitFor(async () => expect(await marks()).toEqual([6, 6]), SOON);
    expect((await call("/documents/probe/default", { method: "DELETE", headers: ANY_REVISION })).status).toBe(
      204,
    );
  });

  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const BAD: [what: string, body: string, status: number][] = [
    ["no JSON", "{", 400],
    ["nothing", "", 400],
    ["a list", "[]", 422],
    ["no content", "{}", 422],
    ["content that is a list", '{"content":[]}', 422],
    ["content that is a text", '{"content":"a: 1"}', 422],
    ["content that is null", '{"content":null}', 422],
    ["a field that is not known", '{"content":{},"extra":1}', 422],
    ["a text with NUL", '{"content":{"a":"\\u0000"}}', 422],
    ["half a surrogate pair", '{"content":{"a":"\\ud800"}}', 422],
    ["too deep a nesting", `{"content":${nested(40)}}`, 400],
    ["three megabytes", JSON.stringify({ content: { a: "x".repeat(3 * 1024 * 1024) } }), 413],
    ["more than is kept of one", JSON.stringify({ content: { a: "x".repeat(1_800_000) } }), 422],
    ["a prototype", '{"content":{"__proto__":{"admin":true}}}', 422],
    ["a secret that is a number", '{"content":{"a":{"$secret":1}}}', 422],
    ["a secret kept that is not there", '{"content":{"a":{"$secret":{"fingerprint":"0123456789ab"}}}}', 422],
    ["a secret beside other fields", '{"content":{"a":{"$secret":"x","b":1}}}', 422],
    ["a flag that serves what it does not have", '{"content":{"flags":{"f":{"serve":"purple"}}}}', 422],
    ["flags that are a list", '{"content":{"flags":[]}}', 422],
    [
      "a roll-out of 200 %",
      '{"content":{},"rollout":{"by":"isolate","steps":[{"percentage":200,"seconds":1}]}}',
      422,
    ],
    ["a reason of a novel's length", JSON.stringify({ content: {}, reason: "x".repeat(10_000) }), 422],
  ];
  test.each(BAD)("that is %s is refused and changes nothing", async (_, body, status) => {
    const { body: before } = await call("/status");
    const answer = await call("/documents/bad/default", {
      method: "PUT",
      body,
      headers: { "content-type": "application/json" },
    });
    expect(answer.status, answer.text.slice(0, 300)).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.text.length).toBeLessThan(20_000);
    expect((await call("/documents/bad/default")).status).toBe(404);
    expect((await call("/status")).body.epoch).toBe(before.epoch);
  });

  test.each([
    "UPPER/default",
    "a%2Fb/default",
    "x/..%2F",
    `${"a".repeat(200)}/default`,
    "a/b%00",
    "1a/default",
  ])("named %s is refused", async (name) => {
    expect([400, 404]).toContain((await put(name, {}, {})).status);
  });

  test("set that is imported goes in whole or not at all", async () => {
    const documents = [
      { service: "imported", profile: "default", content: { a: 1 } },
      { service: "strict", profile: "default", content: { mode: "wrong" } },
    ];
    expectProblem(
      await call("/imports", { method: "POST", body: { documents } }),
      422,
      "config_does_not_fit",
    );
    expect((await call("/documents/imported/default")).status).toBe(404);
    const [good] = documents;
    const dry = await call("/imports?dryRun=true", { method: "POST", body: { documents: [good] } });
    expect(dry.status, dry.text).toBe(200);
    expect((await call("/documents/imported/default")).status).toBe(404);
    expect((await call("/imports", { method: "POST", body: { documents: [good] } })).status).toBe(200);
    expect((await call("/documents/imported/default")).body.content).toEqual({ a: 1 });
  });
});

describe("a secret", () => {
  const SECRET = "correct-horse-battery-staple";

  test("reaches the service, and shows in no answer, log, trace or stored value", async () => {
    const written = await call("/documents/probe/default", {
      method: "PUT",
      body: { content: { mark: 7, secret: { $secret: SECRET } } },
    });
    expect(written.status, written.text).toBe(201);
    await vi.waitFor(async () => {
      for (const probe of ground.probes) {
        expect(await (await fetch(probe)).json()).toMatchObject({ mark: 7, secretLength: SECRET.length });
      }
    }, SOON);
    const read = await call("/documents/probe/default");
    const { fingerprint } = read.body.content.secret.$secret;
    expect(fingerprint).toEqual(expect.any(String));
    // What was read is written back: the secret stays.
    expect((await put("probe/default", { ...read.body.content, mark: 8 })).status).toBe(200);
    await vi.waitFor(async () => {
      for (const probe of ground.probes) {
        expect(await (await fetch(probe)).json()).toMatchObject({ mark: 8, secretLength: SECRET.length });
      }
    }, SOON);
    const refused = await put("probe/default", {
      mark: 9,
      secret: { $secret: { fingerprint: "000000000000" } },
    });
    expectProblem(refused, 422, "secret_not_known");
    const rotated = await call("/secrets/rotations", { method: "POST", body: {} });
    expect(rotated.status, rotated.text).toBe(200);

    const paths = [
      "/documents/probe/default",
      "/documents/probe/default/history",
      "/documents/probe/default/revisions/1",
      "/effective/probe/default",
      "/export",
      "/changes?service=probe&profile=default&epoch=0",
      "/status",
    ];
    const answers = await Promise.all(paths.map((path) => call(path)));
    for (const { status, text } of answers)
      expect({ status, shown: text.includes(SECRET) }).toEqual({ status: 200, shown: false });
    await vi.waitFor(() => expect(ground.told.spans.length).toBeGreaterThan(0), SOON);
    await vi.waitFor(async () => expect(Object.keys(await ground.stored()).length).toBeGreaterThan(0), SOON);
    const everywhere = JSON.stringify([await ground.stored(), ground.told]);
    expect(everywhere).toContain("probe");
    expect(everywhere).not.toContain(SECRET);
  });
});

describe("an instance", () => {
  const register = (path: string, body: object) => call(`/registry/${path}`, { method: "PUT", body });
  const valid = { version: "1.0.0", url: "http://127.0.0.1:9", ttlSeconds: 60 };

  test.each([
    "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fe80::1]/",
    "http://example.com/",
    "http://127.0.0.1.example.com/",
    "http://user:pass@127.0.0.1/",
    "https://0.0.0.0/",
  ])("at %s is refused", async (url) => {
    expectProblem(await register("echo/instances/a", { ...valid, url }), 422, "url_not_allowed");
    expect((await call("/registry/echo")).status).toBe(404);
  });

  test.each([["file:///etc/passwd"], ["javascript:alert(1)"], ["//127.0.0.1"], ["not a url"]])(
    "at %s, which is no HTTP address, is refused",
    async (url) => {
      expect((await register("echo/instances/a", { ...valid, url })).status).toBe(422);
    },
  );

  test.each([
    ["no version", { url: valid.url, ttlSeconds: 60 }],
    ["a version that is none", { ...valid, version: "one" }],
    ["a lease of no time", { ...valid, ttlSeconds: 0 }],
    ["a lease for ever", { ...valid, ttlSeconds: 1e9 }],
    ["a negative weight", { ...valid, weight: -1 }],
    ["neither URL nor binding", { version: "1.0.0", ttlSeconds: 60 }],
    ["both URL and binding", { ...valid, binding: "ORDERS" }],
    ["an unknown binding", { version: "1.0.0", binding: "NOWHERE" }],
    ["much metadata", { ...valid, metadata: { a: "x".repeat(100_000) } }],
  ])("with %s is refused", async (_, body) => {
    const answer = await register("echo/instances/a", body);
    expect(answer.status, answer.text).toBe(422);
    expect((await call("/registry/echo")).status).toBe(404);
  });

  test.each(["control", "monitor", "problems", "internal", "healthz"])(
    "of a service named %s is refused",
    async (name) => {
      expect([400, 409, 422]).toContain((await register(`${name}/instances/a`, valid)).status);
    },
  );
});
