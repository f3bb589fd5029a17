/** Holds what the commands of `npx skerry config` ask of the control plane, and print. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newKey, serviceKeys } from "#shared/config/sealing.ts";
import { type FakeControl, fakeControl, problem } from "#test/setup/fake-control.ts";
import { type CommandWorld, type Ran, runCommand } from "#test/setup/run-command.ts";
import { type TemporaryFolder, temporaryFolder } from "#test/setup/temporary-folder.ts";
import { controlSecrets } from "../control-secrets.ts";

const DOCUMENT = {
  service: "orders",
  profile: "default",
  revision: 4,
  kind: "written",
  author: "ada",
  reason: "",
  at: "2026-11-22T10:00:00.000Z",
  epoch: 9,
  content: { cancellationMinutes: 10, cache: { ttlSeconds: 5 } },
};
const ETAG = '"4"';
const SUMMARY = { ...DOCUMENT, content: undefined };

const GET_DOCUMENT = { body: DOCUMENT, headers: { etag: ETAG } };
const PUT_DOCUMENT = {
  body: { ...DOCUMENT, revision: 5, content: { cancellationMinutes: 15, cache: { ttlSeconds: 5 } } },
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

describe("config get", () => {
  test("prints the document as YAML, a value at a path, or JSON", async () => {
    control = await fakeControl({ "GET /documents/orders/default": GET_DOCUMENT });
    expect(await run(["config", "get", "orders"])).toEqual({
      code: 0,
      out: "cancellationMinutes: 10\ncache:\n  ttlSeconds: 5\n",
      err: "",
    });
    expect((await run(["config", "get", "orders", "cache.ttlSeconds"])).out).toBe("5\n");
    expect(JSON.parse((await run(["config", "get", "orders", "--json"])).out)).toEqual(DOCUMENT.content);
  });

  test("ends with 3 for a document and for a path that is not there", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "GET /documents/orders/production": problem(404, "document_not_found", 'Reading "orders/production".'),
    });
    expect(await run(["config", "get", "orders", "-p", "production"])).toMatchObject({
      code: 3,
      out: "",
      err: 'skerry: Title of document_not_found: Reading "orders/production".\n',
    });
    expect(await run(["config", "get", "orders", "cache.other"])).toMatchObject({ code: 3, out: "" });
  });
});

describe("config set", () => {
  const put = () => {
    const found = control?.asked.find(({ method }) => method === "PUT");
    return { match: found?.headers["if-match"], body: JSON.parse(found?.body ?? "null") };
  };

  test("changes the path alone, under the revision that it read, and says what changed", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": PUT_DOCUMENT,
    });
    const ran = await run(["config", "set", "orders", "cancellationMinutes", "15", "--reason", "peak"]);
    expect(ran).toEqual({
      code: 0,
      out: "orders/default: revision 5 is the document; cancellationMinutes: 10 → 15\n",
      err: "",
    });
    expect(put()).toEqual({
      match: ETAG,
      body: { content: { cancellationMinutes: 15, cache: { ttlSeconds: 5 } }, reason: "peak" },
    });
  });

  test("makes a document that is not there yet, on the condition that it still is not", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": problem(404, "document_not_found", ""),
      "PUT /documents/orders/default": PUT_DOCUMENT,
    });
    expect((await run(["config", "set", "orders", "name", "sea salt"])).code).toBe(0);
    expect(put()).toEqual({ match: undefined, body: { content: { name: "sea salt" } } });
    expect(control.asked[1]?.headers["if-none-match"]).toBe("*");
  });

  test("tells who makes a document that nobody checks, as by a mistyped name", async () => {
    const answers = (service: string, schema: Parameters<typeof fakeControl>[0][string]) => ({
      [`GET /documents/${service}/default`]: problem(404, "document_not_found", ""),
      [`PUT /documents/${service}/default`]: { body: { ...DOCUMENT, service } },
      [`GET /schemas/${service}`]: schema,
    });
    const undeclared = problem(404, "schema_not_found", "");
    control = await fakeControl({
      ...answers("oders", undeclared),
      ...answers("orders", { body: { schema: {} } }),
      ...answers("shared", undeclared),
    });
    expect(await run(["config", "set", "oders", "x", "1"])).toMatchObject({
      code: 0,
      err: 'no service "oders" has declared what it can be set to: nothing was checked\n',
    });
    for (const service of ["orders", "shared"])
      expect(await run(["config", "set", service, "x", "1"])).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    ["15", 15],
    ["-5", -5],
    ["true", true],
    ["null", null],
    ['{"a":[1]}', { a: [1] }],
    ['"15"', "15"],
    ["plain text", "plain text"],
    ["{broken", "{broken"],
  ])("takes %j as %j", async (text, value) => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": PUT_DOCUMENT,
    });
    expect((await run(["config", "set", "orders", "x", text])).code).toBe(0);
    expect(put().body.content.x).toEqual(value);
  });

  test("wraps a secret from standard input, which it never prints", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": {
        body: { ...DOCUMENT, content: { ...DOCUMENT.content, key: { $secret: { fingerprint: "f1" } } } },
      },
    });
    const ran = await run(["config", "set", "orders", "key", "-", "--secret"], { input: "12345\n" });
    expect(put().body.content.key).toEqual({ $secret: "12345" });
    expect(ran.out + ran.err).not.toContain("12345");
  });

  test("asks for a roll-out by steps", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": {
        body: { ...DOCUMENT, revision: 5, kind: "candidate", content: { ...DOCUMENT.content, x: 1 } },
      },
    });
    const args = ["config", "set", "orders", "x", "1", "--rollout", "1,10,50", "--every", "30"];
    expect((await run(args)).out).toMatch(/revision 5 is rolled out; x: \(nothing\) → 1\n$/);
    expect(put().body.rollout).toEqual({
      by: "isolate",
      steps: [1, 10, 50].map((percentage) => ({ percentage, seconds: 30 })),
      errorRateRise: 0.05,
    });
  });

  test("ends with 5 and the way out when somebody else was first", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": problem(412, "document_changed", "It is at 5."),
    });
    const { code, err } = await run(["config", "set", "orders", "x", "1"]);
    expect(code).toBe(5);
    expect(err).toBe(
      "skerry: Title of document_changed: It is at 5; read it again (npx skerry config get) and repeat the change\n",
    );
  });

  test("prints every fault on a line of its own", async () => {
    control = await fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": problem(422, "config_does_not_fit", "Publishing.", {
        errors: [
          { path: "orders.x", message: "expected a number" },
          { path: "", message: "too large" },
        ],
      }),
    });
    const { code, err } = await run(["config", "set", "orders", "x", "one"]);
    expect(code).toBe(1);
    expect(err.split("\n")).toEqual([
      "skerry: Title of config_does_not_fit: Publishing.",
      "  orders.x: expected a number",
      "  too large",
      "",
    ]);
  });
});

describe("a refused value", () => {
  const refusing = (detail: string) =>
    fakeControl({
      "GET /documents/orders/default": GET_DOCUMENT,
      "PUT /documents/orders/default": problem(422, "config_does_not_fit", detail, {
        errors: [{ path: "x", message: "expected object, not string" }],
      }),
    });

  test("is told once where one fault is all", async () => {
    control = await refusing('Writing "orders/default" at "x": expected object, not string.');
    expect((await run(["config", "set", "orders", "x", "text"])).err).toBe(
      'skerry: Title of config_does_not_fit: Writing "orders/default" at "x": expected object, not string.\n',
    );
  });

  test("that looks like JSON and is none is said to have been taken as text, but never a secret", async () => {
    control = await refusing('Writing "orders/default" at "x": expected object, not string.');
    const hint = /not string; the value is no JSON, so it was taken as text\n$/;
    expect((await run(["config", "set", "orders", "x", '{"a": 1'])).err).toMatch(hint);
    expect((await run(["config", "set", "orders", "x", '{"a": 1}'])).err).not.toMatch(hint);
    expect((await run(["config", "set", "orders", "x", "{a", "--secret"])).err).not.toMatch(hint);
  });
});

test("config unset removes the path alone", async () => {
  control = await fakeControl({
    "GET /documents/orders/default": GET_DOCUMENT,
    "PUT /documents/orders/default": PUT_DOCUMENT,
  });
  expect((await run(["config", "unset", "orders", "cache.ttlSeconds"])).code).toBe(0);
  expect(JSON.parse(control.asked[1]?.body ?? "").content).toEqual({ cancellationMinutes: 10, cache: {} });
});

test("config history is a table of who, when, why and what; config diff compares any two revisions", async () => {
  const changes = [{ path: "cancellationMinutes", before: 5, after: 10 }];
  control = await fakeControl({
    "GET /documents/orders/default/history": { body: { items: [{ ...SUMMARY, reason: "peak", changes }] } },
    "GET /documents/orders/default/diff": { body: { changes: [{ path: "old", before: 1 }] } },
  });
  const { out } = await run(["config", "history", "orders"]);
  expect(out.split("\n")).toEqual([
    "revision  when                      who  kind     reason  what changed",
    "4         2026-11-22T10:00:00.000Z  ada  written  peak    cancellationMinutes: 5 → 10",
    "",
  ]);
  const ran = async (...revisions: string[]) => (await run(["config", "diff", "orders", ...revisions])).out;
  expect(await ran()).toBe("cancellationMinutes: 5 → 10\n");
  expect(await ran("2")).toBe("old: 1 → (nothing)\n");
  expect(await ran("2", "3")).toBe("old: 1 → (nothing)\n");
  const queries = control.asked
    .map(({ path }) => path.split("?")[1] ?? "")
    .filter((query) => query.includes("from"));
  expect(queries).toEqual(["from=2&to=4", "from=2&to=3"]);
});

test("config rollback puts an earlier revision in force, with its reason", async () => {
  control = await fakeControl({
    "POST /documents/orders/default/rollbacks": { body: { ...DOCUMENT, revision: 6 } },
  });
  expect((await run(["config", "rollback", "orders", "2", "-r", "too slow"])).out).toBe(
    "orders/default: revision 6 is the document, as revision 2 was\n",
  );
  expect(JSON.parse(control.asked[0]?.body ?? "")).toEqual({ revision: 2, reason: "too slow" });
});

describe("files", () => {
  const YAML = "documents:\n  - service: orders\n    profile: default\n    content: {}\n";

  test("export writes to standard output, or to a file where the person stands", async () => {
    control = await fakeControl({ "GET /export": { body: YAML } });
    expect((await run(["config", "export"])).out).toBe(YAML);
    expect((await run(["config", "export", "all.yaml"])).code).toBe(0);
    expect(await readFile(join(folder.path, "all.yaml"), "utf8")).toBe(YAML);
  });

  test("import shows the changes before it makes them, and makes none with --dry-run", async () => {
    await writeFile(join(folder.path, "all.yaml"), YAML);
    const changes = [{ path: "a", after: 1 }];
    control = await fakeControl({
      "POST /imports": {
        body: { documents: [{ service: "orders", profile: "default", action: "changed", changes }] },
      },
    });
    const dry = await run(["config", "import", "all.yaml", "--dry-run"]);
    expect(dry.out).toContain("orders/default  changed  a: (nothing) → 1");
    expect(dry.out).toContain("nothing was changed (--dry-run)");
    expect(control.asked.map(({ path }) => path)).toEqual(["/control/v1/imports?dryRun=true"]);
    await run(["config", "import", "all.yaml"]);
    expect(control.asked.map(({ path }) => path).slice(1)).toEqual([
      "/control/v1/imports?dryRun=true",
      "/control/v1/imports?dryRun=false",
    ]);
    expect(JSON.parse(control.asked[2]?.body ?? "")).toEqual({
      documents: [{ service: "orders", profile: "default", content: {} }],
    });
  });

  test.each(["[", "documents: none", "- 1", ""])(
    "a file of %j is refused, and nobody asked",
    async (text) => {
      control = await fakeControl({});
      await writeFile(join(folder.path, "all.yaml"), text);
      const { code, err } = await run(["config", "import", "all.yaml"]);
      expect(code).toBe(1);
      expect(err).toMatch(/^skerry: cannot import ".*all.yaml": .*expected documents: [^\n]+\n$/);
      expect(control.asked).toEqual([]);
    },
  );

  test("a file that is not there is named", async () => {
    const { code, err } = await run(["config", "import", "none.yaml"]);
    expect(code).toBe(1);
    expect(err).toContain(`cannot read "${join(folder.path, "none.yaml")}" (ENOENT)`);
  });
});

describe("config keys", () => {
  const keys = newKey("k1");

  test("derives what the service has from CONTROL_KEYS, or from the data folder's file, asking nobody", async () => {
    expect((await run(["config", "keys", "orders"], { env: { CONTROL_KEYS: keys } })).out).toBe(
      `${await serviceKeys(keys, "orders")}\n`,
    );
    const own = controlSecrets(folder.path).keys;
    expect((await run(["config", "keys", "orders"])).out).toBe(`${await serviceKeys(own, "orders")}\n`);
  });

  test("ends with 3 when there are neither", async () => {
    expect((await run(["config", "keys", "orders"])).code).toBe(3);
  });
});
