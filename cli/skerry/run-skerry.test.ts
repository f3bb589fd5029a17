/** Holds what the other commands of `npx skerry` ask of the control plane and print, and what all of them end with. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeControl, fakeControl, problem } from "#test/setup/fake-control.ts";
import { type CommandWorld, type Ran, runCommand } from "#test/setup/run-command.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { controlSecrets } from "../control-secrets.ts";

const SERVICE = {
  service: "orders",
  epoch: 3,
  instances: [
    {
      id: "skerry-orders",
      version: "1.0.0",
      state: "up",
      binding: "ORDERS",
      weight: 100,
      metadata: {},
      zone: "ams",
    },
    { id: "o2", version: "2.1.0", state: "draining", url: "http://10.0.0.7:8080", weight: 1, metadata: {} },
  ],
};

let folder: TemporaryFolder;
let control: FakeControl | undefined;
beforeEach(async () => {
  folder = await temporaryFolder("cli");
});
afterEach(async () => {
  await control?.close();
  control = undefined;
  await folder.remove();
});

const run = (
  args: readonly string[],
  { env = {}, ...world }: Partial<Omit<CommandWorld, "cwd">> = {},
): Promise<Ran> =>
  runCommand(args, {
    env: { SKERRY_DATA_DIR: folder.path, ...(control && { SKERRY_URL: control.url }), ...env },
    cwd: folder.path,
    ...world,
  });

describe("registry", () => {
  test("list is a table with where each instance is, cut for a narrow terminal", async () => {
    control = await fakeControl({ "GET /registry": { body: { items: [SERVICE] } } });
    expect((await run(["registry", "list"])).out.split("\n")).toEqual([
      "service  instance       version  state     where                 weight  zone",
      "orders   skerry-orders  1.0.0    up        binding ORDERS        100     ams",
      "orders   o2             2.1.0    draining  http://10.0.0.7:8080  1",
      "",
    ]);
    const narrow = await run(["registry", "list"], { columns: 60, env: { NO_COLOR: "1" } });
    expect(Math.max(...narrow.out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(JSON.parse((await run(["registry", "list", "--json"])).out)).toEqual({ items: [SERVICE] });
  });

  test("list asks for page after page", async () => {
    control = await fakeControl({
      "GET /registry": ({ path }) =>
        path.includes("cursor=")
          ? { body: { items: [{ ...SERVICE, service: "stock" }] } }
          : {
              body: { items: [SERVICE] },
              headers: { link: '</control/v1/registry?limit=100&cursor=abc>; rel="next"' },
            },
    });
    const { out } = await run(["registry", "list", "--json"]);
    expect(JSON.parse(out).items.map(({ service }: { service: string }) => service)).toEqual([
      "orders",
      "stock",
    ]);
    expect(control.asked[1]?.path).toBe("/control/v1/registry?limit=100&cursor=abc");
  });

  test("drain, state and register say to the control plane what they say to the person", async () => {
    control = await fakeControl({
      "DELETE /registry/orders/instances/o2": { status: 202 },
      "PUT /registry/orders/instances/o2/state": { body: {} },
      "PUT /registry/orders/instances/o3": { body: {} },
    });
    expect((await run(["registry", "drain", "orders", "o2", "--seconds", "5"])).code).toBe(0);
    expect((await run(["registry", "state", "orders", "o2", "out_of_service"])).code).toBe(0);
    const register = [
      "registry",
      "register",
      "orders",
      "o3",
      "--version",
      "2.0.0",
      "--url",
      "http://localhost:9000",
    ];
    expect((await run([...register, "--ttl", "60", "--metadata", "team=sea"])).code).toBe(0);
    expect(control.asked.map(({ path }) => path)).toEqual([
      "/control/v1/registry/orders/instances/o2?drainSeconds=5",
      "/control/v1/registry/orders/instances/o2/state",
      "/control/v1/registry/orders/instances/o3",
    ]);
    expect(JSON.parse(control.asked[2]?.body ?? "")).toEqual({
      version: "2.0.0",
      url: "http://localhost:9000",
      ttlSeconds: 60,
      metadata: { team: "sea" },
    });
  });
});

describe("tokens", () => {
  test("create prints the token alone, so that it can go into a variable", async () => {
    const made = { id: "i", name: "ci", role: "write", createdAt: "", expiresAt: "", token: "skerry_x" };
    control = await fakeControl({ "POST /tokens": { status: 201, body: made } });
    const args = ["token", "create", "ci", "--role", "write", "--ttl", "12h", "--service", "orders"];
    expect((await run(args)).out).toBe("skerry_x\n");
    expect(JSON.parse(control.asked[0]?.body ?? "")).toEqual({
      name: "ci",
      role: "write",
      ttlSeconds: 43_200,
      services: ["orders"],
    });
  });
});

describe("secrets", () => {
  const FAILED = { service: "orders", profile: "default", revision: 4 };
  const rotations = (last: object): Parameters<typeof fakeControl>[0] => ({
    "POST /secrets/rotations": ({ path }) => ({
      body: path.endsWith("?after=500")
        ? { key: "k2", resealed: 3, failed: [], ...last }
        : { key: "k2", resealed: 500, failed: [], next: 500 },
    }),
  });

  test("rotate asks on until all are sealed anew, and says how many", async () => {
    control = await fakeControl(rotations({}));
    expect(await run(["secret", "rotate"])).toEqual({
      code: 0,
      out: '503 revisions were sealed anew by the key "k2"\n',
      err: "",
    });
    expect(control.asked.map(({ path }) => path)).toEqual([
      "/control/v1/secrets/rotations",
      "/control/v1/secrets/rotations?after=500",
    ]);
    const { out } = await run(["secret", "rotate", "--json"]);
    expect(JSON.parse(out)).toEqual({ key: "k2", resealed: 503, failed: [] });
  });

  test("rotate names what no key opens and ends with 1: the old keys must stay", async () => {
    control = await fakeControl(rotations({ failed: [FAILED] }));
    const { code, out, err } = await run(["secret", "rotate", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out).failed).toEqual([FAILED]);
    expect(err).toBe(
      "skerry: cannot open the secrets of orders/default (4): expected their key among CONTROL_KEYS\n",
    );
  });
});

describe("who asks", () => {
  test("the data folder's token goes to a gateway of this machine", async () => {
    const { token } = controlSecrets(folder.path);
    control = await fakeControl({ "GET /tokens": { body: { items: [] } } });
    await run(["token", "list"]);
    expect(control.asked[0]?.headers.authorization).toBe(`Bearer ${token}`);
    await run(["token", "list"], { env: { SKERRY_TOKEN: "skerry_other" } });
    expect(control.asked[1]?.headers.authorization).toBe("Bearer skerry_other");
  });

  test("and to no other gateway", async () => {
    controlSecrets(folder.path);
    const sent: Headers[] = [];
    await run(["token", "list"], {
      env: { SKERRY_URL: "https://shop.example.com" },
      fetch: async (_, init) => {
        sent.push(new Headers(init?.headers));
        return Response.json({ items: [] });
      },
    });
    expect(sent[0]?.has("authorization")).toBe(false);
  });
});

describe("exit codes", () => {
  test.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [409, 5],
    [412, 5],
    [428, 5],
    [422, 1],
    [500, 1],
    [503, 6],
  ])("an answer %i ends with %i", async (status, code) => {
    control = await fakeControl({ "GET /tokens": problem(status, "some_problem", "Detail.") });
    const ran = await run(["token", "list"]);
    expect(ran).toMatchObject({ code, out: "" });
    expect(ran.err).toMatch(/^skerry: Title of some_problem: Detail/);
  });

  test.each([
    [["config"]],
    [["config", "get"]],
    [["config", "fly"]],
    [["config", "get", "orders", "--loud"]],
    [["config", "history", "orders", "--limit", "0"]],
    [["config", "set", "orders", "x", "1", "--rollout", "101"]],
    [["registry", "state", "orders", "o2", "down"]],
    [["config", "set", "orders", "x", "1", "--rollout", "50,10"]],
    [["config", "set", "orders", "x", "1", "--rollout", "10,10"]],
    [["config", "set", "orders", "x", "1", "--every", "60"]],
    [["config", "set", "orders", "x", "1", "--by", "key"]],
    [["registry", "register", "orders", "o2", "--version", "1.0.0"]],
    [["registry", "register", "orders", "o2", "--version", "1.0.0", "--url", "http://localhost:9000"]],
    [["registry", "register", "orders", "o2", "--version", "1.0.0", "--binding", "ORDERS", "--ttl", "60"]],
    [["token", "create", "ci", "--role", "read", "--ttl", "soon"]],
    [["secret", "rotate", "k2"]],
    [["key", "new"]],
    [["key", "new", "a_b"]],
    [["key", "new", "a", "--scope", "two words"]],
    [["session-key", "new", "a b"]],
    [["completion", "tcsh"]],
    [["fly"]],
  ])("%j is a usage fault: 2, and one line says it", async (args) => {
    control = await fakeControl({});
    const ran = await run(args);
    expect(ran).toMatchObject({ code: 2, out: "" });
    if (args.length > 1 || args[0] === "fly") expect(ran.err).toMatch(/^skerry: [^\n]+\n$/);
    expect(control.asked).toEqual([]);
  });

  test.each([
    [["fly"], "unknown command 'fly'; see npx skerry --help"],
    [["confi"], "unknown command 'confi' (Did you mean config?); see npx skerry --help"],
    [["config", "get"], "missing required argument 'service'; see npx skerry config get --help"],
    [["secret", "rotate", "k2"], "but got 1: k2; see npx skerry secret rotate --help"],
  ])("%j says where to look the right way up", async (args, end) => {
    expect((await run(args)).err.endsWith(`${end}\n`)).toBe(true);
  });

  test("nobody there ends with 6", async () => {
    const gone = await fakeControl({});
    await gone.close();
    const ran = await run(["registry", "list"], { env: { SKERRY_URL: gone.url } });
    expect(ran).toMatchObject({ code: 6, out: "" });
    expect(ran.err).toMatch(
      /^skerry: cannot reach the control plane at "http:\/\/127.0.0.1:\d+" \(ECONNREFUSED\)/,
    );
  });

  test("help ends with 0 and lists every command and every exit code", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    for (const name of [
      "start",
      "config",
      "registry",
      "rollout",
      "flags",
      "secret",
      "token",
      "key",
      "session-key",
      "identity-key",
      "status",
      "completion",
    ]) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
    for (const exit of [0, 1, 2, 3, 4, 5, 6]) expect(out).toMatch(new RegExp(`^  ${exit}  \\w`, "m"));
  });
});

test("status tells what is not ready, and ends with 1 then", async () => {
  const checks = [
    { name: "orders", ready: true },
    { name: "payments", ready: false, detail: "no answer" },
  ];
  control = await fakeControl({
    "GET /readyz": { status: 503, body: { service: "gateway", ready: false, checks } },
  });
  const { code, out, err } = await run(["status"]);
  expect(code).toBe(1);
  expect(out).toContain("payments  not ready  no answer");
  expect(err).toBe("skerry: the system is not ready: payments\n");
});
