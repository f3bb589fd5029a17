import { beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { controlApp } from "./app.ts";
import { dump, type FakeControlPlane, fakeControlPlane } from "./fake-control-plane.ts";

const ADMIN = "the-first-admins-token";
const DAY_SECONDS = 24 * 60 * 60;

let fake: ReturnType<typeof fakeControlPlane>;
let plane: FakeControlPlane;
let app: ReturnType<typeof controlApp>;

const boot = (adminToken: string | undefined = ADMIN) => {
  fake = fakeControlPlane();
  plane = fake.boot();
  app = controlApp({ actor: plane.telling, adminToken, clock: () => fake.state.now, readiness: [] });
};
beforeEach(() => boot());

const call = async (method: string, path: string, options: { token?: string; body?: unknown } = {}) =>
  app.fetch(
    new Request(`http://control${path}`, {
      method,
      headers: {
        ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
        ...(options.body !== undefined && { "content-type": "application/json" }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    }),
  );

const makeToken = async (
  role: "read" | "write" | "admin",
  more: { services?: string[]; ttlSeconds?: number; name?: string } = {},
): Promise<{ id: string; token: string; expiresAt: string }> => {
  const body = { name: `a ${role}`, role, ttlSeconds: DAY_SECONDS, ...more };
  const made = await call("POST", "/control/v1/tokens", { token: ADMIN, body });
  expect(made.status).toBe(201);
  return made.json();
};

const refusal = async (answer: Response) => {
  const { type } = (await answer.json()) as { type: string };
  return [answer.status, type.replace("/problems/", ""), answer.headers.get("www-authenticate")];
};

const STATUS = "/control/v1/status";
const DOCUMENT = "/control/v1/documents/orders/default";
const WRITE = { content: { limit: 5 }, reason: "test" };

describe("a request", () => {
  it("without a token is refused, and no error is named to it", async () => {
    expect(await refusal(await call("GET", STATUS))).toEqual([401, "token_missing", 'Bearer realm="skerry"']);
    const basic = new Request(`http://control${STATUS}`, { headers: { authorization: "Basic YTpi" } });
    expect((await refusal(await app.fetch(basic)))[1]).toBe("token_missing");
  });

  it.each([
    ["made up", async () => "made-up"],
    ["of the right form", async () => `skerry_${"a".repeat(12)}.${"b".repeat(43)}`],
    ["with another secret", async () => `${(await makeToken("admin")).token.slice(0, -43)}${"b".repeat(43)}`],
    ["of the first admin but for one character", async () => `${ADMIN}x`],
    [
      "that was removed",
      async () => {
        const { id, token } = await makeToken("admin");
        await call("DELETE", `/control/v1/tokens/${id}`, { token: ADMIN });
        return token;
      },
    ],
  ])("with a token %s is refused as unknown", async (_, token) => {
    expect(await refusal(await call("GET", STATUS, { token: await token() }))).toEqual([
      401,
      "token_unknown",
      'Bearer realm="skerry", error="invalid_token", error_description="unknown"',
    ]);
  });

  it("with a token is let in until the token expires, to the millisecond", async () => {
    const { token, expiresAt } = await makeToken("read", { ttlSeconds: 60 });
    fake.state.now = Date.parse(expiresAt) - 1;
    expect((await call("GET", STATUS, { token })).status).toBe(200);
    fake.state.now += 1;
    expect(await refusal(await call("GET", STATUS, { token }))).toEqual([
      401,
      "token_expired",
      'Bearer realm="skerry", error="invalid_token", error_description="expired"',
    ]);
  });

  const TOO_SMALL = [
    ["read", "PUT", DOCUMENT, "write"],
    ["read", "DELETE", DOCUMENT, "write"],
    ["read", "PUT", "/control/v1/registry/orders/instances/a", "write"],
    ["read", "DELETE", "/control/v1/rollouts/orders/default", "write"],
    ["read", "GET", "/control/v1/tokens", "admin"],
    ["write", "GET", "/control/v1/tokens", "admin"],
    ["write", "POST", "/control/v1/tokens", "admin"],
    ["write", "DELETE", "/control/v1/tokens/aaaaaaaaaaaa", "admin"],
    ["write", "GET", "/control/v1/%74okens", "admin"],
    ["write", "POST", "/control/v1/secrets/rotations", "admin"],
  ] as const;
  it.each(TOO_SMALL)("with the role %s may not %s %s, which needs %s", async (role, method, path, needed) => {
    const { token } = await makeToken(role);
    expect(await refusal(await call(method, path, { token }))).toEqual([
      403,
      "role_too_small",
      `Bearer realm="skerry", error="insufficient_scope", scope="${needed}"`,
    ]);
  });

  it("with the role that it needs is let in", async () => {
    const write = await makeToken("write");
    const read = await makeToken("read");
    const admin = await makeToken("admin");
    expect((await call("PUT", DOCUMENT, { token: write.token, body: WRITE })).status).toBe(201);
    expect((await call("GET", DOCUMENT, { token: read.token })).status).toBe(200);
    expect((await call("HEAD", DOCUMENT, { token: read.token })).status).toBe(200);
    expect((await call("GET", "/control/v1/tokens", { token: admin.token })).status).toBe(200);
    const { author } = (await (await call("GET", DOCUMENT, { token: ADMIN })).json()) as { author: string };
    expect(author).toBe("a write");
  });

  it.each([
    ["GET", "/control/v1/documents/orders/default", 404],
    ["GET", "/control/v1/documents/%6frders/default", 404],
    ["GET", "/control/v1/changes?service=orders", 200],
    ["GET", "/control/v1/rollouts/orders/default", 404],
    ["GET", "/control/v1/documents/payments/default", 403],
    ["GET", "/control/v1/documents/shared/default", 403],
    ["GET", "/control/v1/documents", 403],
    ["GET", "/control/v1/changes?service=payments", 403],
    ["GET", "/control/v1/changes?service=payments&service=orders", 403],
    ["GET", "/control/v1/status?service=orders", 403],
    ["DELETE", "/control/v1/registry/payments/instances/a", 403],
    ["POST", "/control/v1/imports", 403],
    ["GET", "/control/v1/tokens", 403],
  ])("limited to orders: %s %s answers %i", async (method, path, status) => {
    const { token } = await makeToken("write", { services: ["orders"] });
    expect((await call(method, path, { token })).status).toBe(status);
  });

  it("needs no token for health and for the document of the interface", async () => {
    for (const path of ["/healthz", "/readyz", "/control/v1/openapi.json"]) {
      expect([path, (await call("GET", path)).status]).toEqual([path, 200]);
    }
  });

  it("has no admin where no admin's token is set, not even with an empty one", async () => {
    for (const none of [undefined, ""]) {
      boot(none);
      app = controlApp({
        actor: plane.telling,
        adminToken: none,
        clock: () => fake.state.now,
        readiness: [],
      });
      expect((await call("GET", STATUS, { token: ADMIN })).status).toBe(401);
      expect((await call("GET", STATUS, { token: "" })).status).toBe(401);
    }
  });
});

describe("a write", () => {
  const epochOf = (answer: Response) => answer.headers.get("skerry-epoch");

  it("is answered with the epoch in which it can be seen", async () => {
    const written = await call("PUT", DOCUMENT, { token: ADMIN, body: WRITE });
    const { epoch } = (await written.json()) as { epoch: number };
    expect([written.status, epochOf(written)]).toEqual([201, `${epoch}`]);
    const instance = { version: "1.0.0", binding: "ORDERS" };
    const path = "/control/v1/registry/orders/instances/a";
    const registered = await call("PUT", path, { token: ADMIN, body: instance });
    expect([registered.status, epochOf(registered)]).toEqual([201, `${epoch + 1}`]);
    const drained = await call("DELETE", path, { token: ADMIN });
    expect([drained.status, epochOf(drained)]).toEqual([202, `${epoch + 2}`]);
  });

  it("that was refused, and a reading, are answered without one", async () => {
    await call("PUT", DOCUMENT, { token: ADMIN, body: WRITE });
    const refused = await call("PUT", DOCUMENT, { token: ADMIN, body: WRITE });
    expect([refused.status, epochOf(refused)]).toEqual([428, null]);
    expect(epochOf(await call("GET", DOCUMENT, { token: ADMIN }))).toBeNull();
  });

  it("of more than a body may hold is refused with the bound, which is larger for what brings documents", async () => {
    const content = { text: "x".repeat(LIMITS.configBodyBytes) };
    const body = { documents: [{ service: "orders", profile: "default", content }] };
    for (const [method, path, tooMuch, bytes] of [
      ["POST", "/control/v1/imports", body, LIMITS.configBodyBytes],
      ["PUT", DOCUMENT, { content }, LIMITS.configBodyBytes],
      ["POST", "/control/v1/tokens", { name: "x".repeat(300_000) }, LIMITS.requestBodyBytes],
    ] as const) {
      const answer = await call(method, path, { token: ADMIN, body: tooMuch });
      expect([answer.status, await answer.json()]).toMatchObject([
        413,
        { type: "/problems/body_too_large", detail: expect.stringContaining(`at most ${bytes} bytes`) },
      ]);
    }
  });
});

describe("tokens", () => {
  it("stand nowhere in clear, and are shown once", async () => {
    const { id, token } = await makeToken("write", { services: ["orders"] });
    const secret = token.split(".")[1] ?? "";
    expect(dump(fake.database)).toContain(id);
    expect(dump(fake.database)).not.toContain(secret);
    const listed = await (await call("GET", "/control/v1/tokens", { token: ADMIN })).json();
    expect(listed).toMatchObject({ items: [{ id, name: "a write", services: ["orders"] }] });
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(JSON.stringify(listed)).not.toContain("hash");
  });

  it.each([
    ["a year and a second", { ttlSeconds: 365 * DAY_SECONDS + 1 }],
    ["no time at all", { ttlSeconds: 0 }],
    ["a name that is too long", { name: "x".repeat(65) }],
    ["the first admin's name", { name: "admin" }],
    ["the name of what happens by itself", { name: "control-plane" }],
    ["a role that is none", { role: "root" }],
    ["no services at all", { services: [] }],
  ])("are not made for %s", async (_, wrong) => {
    const body = { name: "one", role: "read", ttlSeconds: 60, ...wrong };
    const [status, code] = await refusal(await call("POST", "/control/v1/tokens", { token: ADMIN, body }));
    expect([status, code]).toEqual([422, "invalid_body"]);
  });

  it("are bounded, and expired ones make room", async () => {
    const fill = (n: number) =>
      plane.addToken({ id: `t${n}`, hash: "", name: "x", role: "read", ttlSeconds: n === 0 ? 60 : 600 });
    for (let n = 0; n < 1_000; n++) expect((await fill(n)).ok).toBe(true);
    expect(await fill(1_000)).toMatchObject({ ok: false, error: { code: "limit_reached" } });
    fake.state.now += 60_000;
    expect((await fill(1_000)).ok).toBe(true);
    expect(await fill(1_001)).toMatchObject({ ok: false });
  });

  it("that are not there cannot be removed", async () => {
    const gone = await call("DELETE", "/control/v1/tokens/aaaaaaaaaaaa", { token: ADMIN });
    expect((await refusal(gone)).slice(0, 2)).toEqual([404, "token_not_found"]);
  });
});

describe("a look of an isolate", () => {
  const look = (body: unknown, method = "POST") => call(method, "/internal/changes", { body });
  const LOOK = { service: "orders", profile: "default", isolate: "a", epoch: 0 };

  it("needs no token, and is answered 200 with changes or 204 without", async () => {
    const first = await look(LOOK);
    expect(first.status).toBe(200);
    const { epoch } = (await first.json()) as { epoch: number };
    expect((await look({ ...LOOK, epoch })).status).toBe(204);
  });

  it("sees at once what was changed through the same isolate", async () => {
    const { epoch } = (await (await look(LOOK)).json()) as { epoch: number };
    await call("PUT", DOCUMENT, { token: ADMIN, body: WRITE });
    expect((await look({ ...LOOK, epoch })).status).toBe(200);
  });

  it.each([
    ["no service", { ...LOOK, service: undefined }],
    ["an epoch below nothing", { ...LOOK, epoch: -1 }],
    [
      "more failures than answers",
      { ...LOOK, counts: [{ service: "a", rollout: "r", arm: "stable", answers: 1, failures: 2 }] },
    ],
    ["a thousand counts", { ...LOOK, counts: Array.from({ length: 1_000 }, () => ({})) }],
    ["nothing", null],
  ])("with %s is refused", async (_, body) => {
    expect((await look(body)).status).toBe(400);
  });

  it("is reached by its own path only, not by one that leads there", async () => {
    const request = new Request("http://gateway/control/v1/x", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(LOOK),
    });
    Object.defineProperty(request, "url", { value: "http://gateway/control/v1/../../internal/changes" });
    expect((await app.fetch(request)).status).not.toBe(200);
  });

  it("is a POST", async () => {
    expect((await call("GET", "/internal/changes")).status).toBe(405);
  });
});

describe("a process", () => {
  it("is told what changed, and nothing when nothing did", async () => {
    const { token } = await makeToken("read");
    const first = await call("GET", "/control/v1/changes?service=orders", { token });
    const { epoch } = (await first.json()) as { epoch: number };
    const again = await call("GET", `/control/v1/changes?service=orders&epoch=${epoch}`, { token });
    expect(again.status).toBe(204);
    const nobody = await call("GET", "/control/v1/changes?service=never-heard-of&profile=any", { token });
    expect(nobody.status).toBe(200);
    expect(await nobody.json()).toMatchObject({ epoch, whole: true, config: { value: {}, flags: {} } });
    const wrong = await call("GET", "/control/v1/changes?service=orders&epoch=new", { token });
    expect((await refusal(wrong)).slice(0, 2)).toEqual([400, "invalid_parameter"]);
  });

  it("makes no snapshot by asking, whatever names it makes up", async () => {
    const { token } = await makeToken("read");
    for (const profile of ["one", "two", "three"])
      await call("GET", `/control/v1/changes?service=made-up&profile=${profile}`, { token });
    expect(dump(fake.database)).not.toContain("made-up");
  });
});

describe("a roll-out over HTTP", () => {
  const ROLLOUT = "/control/v1/rollouts/orders/default";
  const PLAN = { by: "isolate", steps: [{ percentage: 10, seconds: 60 }], errorRateRise: 0.05 };
  const start = async () => {
    await call("PUT", DOCUMENT, { token: ADMIN, body: WRITE });
    const { revision } = (await (await call("GET", DOCUMENT, { token: ADMIN })).json()) as {
      revision: number;
    };
    await plane.putDocument({
      ...{ service: "orders", profile: "default", content: { limit: 6 }, reason: "", author: "test" },
      rollout: { ...PLAN, by: "isolate" },
      ifMatch: revision,
    });
  };
  const content = async () =>
    ((await (await call("GET", DOCUMENT, { token: ADMIN })).json()) as { content: unknown }).content;

  it("is shown, set, and given to all at a hundred percent", async () => {
    await start();
    expect(await (await call("GET", ROLLOUT, { token: ADMIN })).json()).toMatchObject({
      ...PLAN,
      percentage: 10,
    });
    const set = await call("PUT", ROLLOUT, { token: ADMIN, body: { percentage: 33.33 } });
    expect(await set.json()).toMatchObject({ percentage: 33.33 });
    expect(await content()).toEqual({ limit: 5 });
    const status = await (await call("GET", STATUS, { token: ADMIN })).json();
    expect(status).toMatchObject({ rollouts: [{ percentage: 33.33 }], rejected: [] });
    expect((await call("PUT", ROLLOUT, { token: ADMIN, body: { percentage: 100 } })).status).toBe(204);
    expect(await content()).toEqual({ limit: 6 });
    expect((await call("GET", ROLLOUT, { token: ADMIN })).status).toBe(404);
  });

  it("is withdrawn, and the document stays", async () => {
    await start();
    expect((await call("DELETE", ROLLOUT, { token: ADMIN })).status).toBe(204);
    expect(await content()).toEqual({ limit: 5 });
    const list = await (await call("GET", "/control/v1/rollouts", { token: ADMIN })).json();
    expect(list).toEqual({ items: [] });
  });
});
