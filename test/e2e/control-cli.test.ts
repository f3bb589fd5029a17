/** Runs the commands of `npx skerry` as a person does, against a whole system: what they do is done, and their exit codes tell. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { type Ran, runCommand } from "../setup/run-command.ts";
import { startTestSystem, type TestSystem } from "../setup/system.ts";
import { type TemporaryFolder, temporaryFolder } from "../setup/temporary-folder.ts";

let system: TestSystem;
let folder: TemporaryFolder;

const world = (env: Readonly<Record<string, string>>) => ({
  SKERRY_URL: system.url,
  SKERRY_TOKEN: system.controlToken,
  ...env,
});

/** In this process: what it writes and ends with is what the program's own process does, a second sooner. */
const skerry = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  runCommand(args, { env: world(env), cwd: folder.path });

/** As a process of its own, in the folder that `npx skerry` says that it was called in. */
const skerryProcess = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...world(env), SKERRY_CWD: folder.path } };
    const child = execFile(process.execPath, [join(ROOT, "cli/main.ts"), ...args], options, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

const json = async (...args: string[]) => {
  const { code, out, err } = await skerry([...args, "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
};

beforeAll(async () => {
  folder = await temporaryFolder("cli-e2e");
  system = await startTestSystem();
}, 120_000);
afterAll(async () => {
  await system?.close();
  await folder?.remove();
});

test("as a process, status is 0, a usage fault 2, nobody there 6, and a file is written where it was called", async () => {
  const [status, usage, nobody, exported] = await Promise.all([
    skerryProcess(["status"]),
    skerryProcess(["config", "get"]),
    skerryProcess(["registry", "list"], { SKERRY_URL: "http://127.0.0.1:9" }),
    skerryProcess(["config", "export", "first.yaml"]),
  ]);
  expect([status.code, usage.code, nobody.code, exported.code]).toEqual([0, 2, 6, 0]);
  expect(usage).toMatchObject({ out: "", err: expect.stringMatching(/^skerry: [^\n]+\n$/) });
  expect(await readFile(join(folder.path, "first.yaml"), "utf8")).toContain("documents:");
});

test("a document is set, read, compared, rolled back, and its history says all of it", async () => {
  const set = (minutes: number) =>
    skerry(["config", "set", "orders", "cancellationMinutes", `${minutes}`, "--reason", `to ${minutes}`]);
  expect((await skerry(["config", "get", "orders"])).code).toBe(3);
  expect(await set(15)).toMatchObject({ code: 0, err: "" });
  expect((await set(20)).out).toContain("revision 2 is the document; cancellationMinutes: 15 → 20");
  expect((await skerry(["config", "get", "orders", "cancellationMinutes"])).out).toBe("20\n");
  expect((await skerry(["config", "diff", "orders", "1", "2"])).out).toBe("cancellationMinutes: 15 → 20\n");
  expect((await skerry(["config", "rollback", "orders", "1", "--reason", "too long"])).code).toBe(0);
  const { items } = await json("config", "history", "orders");
  expect(
    items.map(({ revision, author, reason }: Record<string, unknown>) => [revision, author, reason]),
  ).toEqual([
    [3, "admin", "too long"],
    [2, "admin", "to 20"],
    [1, "admin", "to 15"],
  ]);
  expect(await json("config", "get", "orders")).toEqual({ cancellationMinutes: 15 });
  const { origins } = await json("config", "effective", "orders");
  expect(origins).toEqual({ cancellationMinutes: { document: "orders/default", revision: 3 } });
});

test("what does not fit the schema that the start declared is refused, with the place of the fault", async () => {
  const { code, err } = await skerry(["config", "set", "orders", "cancellationMinutes", "soon"]);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^skerry: The configuration does not fit its schema: .* at "cancellationMinutes": expected integer, not string\.\n$/,
  );
});

test("an export comes back by an import that first says what it changes", async () => {
  expect((await skerry(["config", "set", "shared", "flags", '{"dark-mode": {"serve": "off"}}'])).code).toBe(
    0,
  );
  expect((await skerry(["config", "export", "all.yaml"])).code).toBe(0);
  const file = join(folder.path, "all.yaml");
  const text = await readFile(file, "utf8");
  expect((await skerry(["config", "import", "all.yaml"])).out).toContain("0 documents were changed");
  await writeFile(file, text.replace(/serve: .*/, 'serve: "on"'));
  const dry = await skerry(["config", "import", "all.yaml", "--dry-run"]);
  expect(dry.out).toMatch(/shared\/default +changed +flags\.dark-mode\.serve: "off" → "on"/);
  expect(await json("config", "get", "shared", "flags.dark-mode.serve")).toBe("off");
  expect((await skerry(["config", "import", "all.yaml"])).code).toBe(0);
  expect(await json("config", "get", "shared", "flags.dark-mode.serve")).toBe("on");
  expect((await skerry(["flags", "orders"])).out).toMatch(/^dark-mode +yes +"on"/m);
});

test("of two who change the same revision at once, one ends with 5", async () => {
  const change = (name: string) => skerry(["config", "set", "shared", "flags.at-once.description", name]);
  const codes = new Set<number>();
  for (let round = 0; round < 10 && !codes.has(5); round++) {
    const both = await Promise.all([change(`one ${round}`), change(`two ${round}`)]);
    for (const { code, err } of both) {
      codes.add(code);
      if (code !== 0) expect(err).toMatch(/^skerry: .*read it again/);
    }
  }
  expect([...codes].sort()).toEqual([0, 5]);
});

test("the services of the start are registered, and an instance comes and is drained", async () => {
  const { items } = await json("registry", "list");
  expect(items.map(({ service }: { service: string }) => service)).toEqual([
    "catalog",
    "inventory",
    "orders",
    "payments",
  ]);
  const url = system.services["skerry-fake-payment-provider"] ?? "";
  const register = [
    "registry",
    "register",
    "reviews",
    "r1",
    "--version",
    "1.0.0",
    "--url",
    url,
    "--ttl",
    "60",
  ];
  expect(await skerry(register)).toMatchObject({ code: 0, err: "" });
  expect((await skerry(["registry", "list", "reviews"])).out).toMatch(/^reviews +r1 +1\.0\.0 /m);
  expect((await skerry(["registry", "drain", "reviews", "r1", "--seconds", "60"])).code).toBe(0);
  expect((await json("registry", "show", "reviews", "r1")).state).toBe("draining");
  expect((await skerry(["registry", "show", "reviews", "r2"])).code).toBe(3);
  expect((await skerry([...register.slice(0, 7), "http://169.254.169.254", "--ttl", "60"])).code).toBe(1);
});

test("a token may what its role says, until it is revoked; a wrong one nothing", async () => {
  const made = await json("token", "create", "reader", "--role", "read");
  const as = (token: string, ...args: string[]) => skerry(args, { SKERRY_TOKEN: token });
  expect((await as(made.token, "registry", "list")).code).toBe(0);
  const refused = await as(made.token, "config", "set", "orders", "quoteMs", "5");
  expect(refused).toMatchObject({ code: 4, out: "" });
  expect(refused.err).toContain("npx skerry token create");
  expect((await skerry(["token", "revoke", made.id])).code).toBe(0);
  expect((await as(made.token, "registry", "list")).code).toBe(4);
  expect((await as("skerry_wrong", "registry", "list")).code).toBe(4);
});

test("a candidate is rolled out, held by hand, aborted, and history says so", async () => {
  const set = ["config", "set", "catalog", "flags.new-look", '{"serve": "on"}', "--rollout", "1,50"];
  expect(await skerry(set)).toMatchObject({ code: 0, out: expect.stringContaining("is rolled out") });
  const [begun] = (await json("rollout", "list")).items;
  expect(begun).toMatchObject({
    service: "catalog",
    percentage: 1,
    by: "isolate",
    nextAt: expect.any(String),
  });
  expect((await skerry(["config", "set", "catalog", "flags.other", "true"])).code).toBe(5);
  expect((await skerry(["rollout", "set", "catalog", "25"])).out).toBe(
    "catalog/default: the candidate stays at 25 %\n",
  );
  expect((await skerry(["rollout", "list"])).out).toMatch(/^catalog\/default +25 % +isolate +by hand /m);
  expect((await skerry(["rollout", "abort", "catalog"])).code).toBe(0);
  expect((await skerry(["rollout", "abort", "catalog"])).code).toBe(3);
  const { items } = await json("config", "history", "catalog");
  expect(items.map(({ kind }: { kind: string }) => kind)).toEqual(["withdrawn", "candidate"]);
});

test("what is sealed by the first key is left as it is, and only an admin may ask", async () => {
  expect((await skerry(["secret", "rotate"])).out).toBe('0 revisions were sealed anew by the key "k1"\n');
  const { token } = await json("token", "create", "writer", "--role", "write");
  expect((await skerry(["secret", "rotate"], { SKERRY_TOKEN: token })).code).toBe(4);
});
