/** Holds that forgetting is asked of the services that are meant, after a yes alone, and that refusals are told. */
import { expect, test } from "vitest";
import { addForgottenRoute } from "#shared/erasure/forgotten-route.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { ok } from "#shared/result.ts";
import { runCommand } from "#test/setup/run-command.ts";

/** A gateway with the services `orders` and `payments`, which know personal values, and `catalog`, which does not. */
const setUp = ({ ofTenants = false, other = "" } = {}) => {
  const forgotten: string[] = [];
  const apps = ["orders", "payments", "catalog"].map((name) => {
    const app = createServiceApp({ name, major: 1, description: "", problems: {}, readiness: [] });
    const forgetting = () => ({
      keys: { forget: async (subject: string) => void forgotten.push(`${name} ${subject}`) },
      commands: { execute: async () => ok({ position: 7, events: [], duplicate: false }) },
    });
    if (name !== "catalog") addForgottenRoute(app, { service: name, forgetting, ofTenants });
    return [name, app] as const;
  });
  const serviceOf = (service: string) => ({ service, instances: [{ id: "a", version: "1.0.0" }] });
  const keys: (string | null)[] = [];
  const ask: typeof fetch = async (input, init) => {
    const { pathname } = new URL(`${input}`);
    const [, first = "", , , service] = pathname.split("/");
    if (first === "control")
      return Response.json(
        service
          ? serviceOf(service)
          : { items: [...apps.map(([name]) => name), ...(other ? ["reviews"] : [])].map(serviceOf) },
      );
    if (first === "reviews") return new Response(other);
    keys.push(new Headers(init?.headers).get("x-api-key"));
    const found = apps.find(([name]) => name === first)?.[1];
    return found ? found.request(pathname, init) : new Response(null, { status: 404 });
  };
  const env = { SKERRY_URL: "http://gateway.test", SKERRY_TOKEN: "sesame", SKERRY_API_KEY: "sk_a_b" };
  const run = (args: string, input = "") =>
    runCommand(["forget", ...args.split(" ")], { env, cwd: "/", fetch: ask, input });
  return { run, forgotten, keys };
};

test("one service forgets, or all that know personal values", async () => {
  const { run, forgotten, keys } = setUp();
  expect(await run("ada --service orders --yes")).toEqual({
    code: 0,
    out: "orders: forgotten, position 7\n",
    err: "",
  });
  const { out } = await run("bob --all --yes --json");
  expect(JSON.parse(out)).toEqual({
    items: [
      { service: "orders", subject: "bob", position: 7 },
      { service: "payments", subject: "bob", position: 7 },
    ],
  });
  expect(forgotten).toEqual(["orders ada", "orders bob", "payments bob"]);
  expect(new Set(keys)).toEqual(new Set(["sk_a_b"]));
});

test("a service that answers something else is not said to have forgotten", async () => {
  for (const other of ['{"stars": 5}', "<h1>Welcome</h1>"]) {
    const { run, forgotten } = setUp({ other });
    expect(await run("ada --all --yes")).toEqual({
      code: 1,
      out: "orders: forgotten, position 7\npayments: forgotten, position 7\n",
      err: 'skerry: cannot tell whether "reviews" has forgotten "ada": it answered something else than that; see to it there\n',
    });
    expect(forgotten).toEqual(["orders ada", "payments ada"]);
  }
});

test("nothing is forgotten without a yes, nor where it is not said where", async () => {
  const { run, forgotten } = setUp();
  expect(await run("ada --service orders", "y\n")).toMatchObject({ code: 1 });
  expect(await run("ada --yes")).toMatchObject({ code: 2 });
  expect(await run("ada --all --service orders --yes")).toMatchObject({ code: 2 });
  for (const subject of ["a.b.c", ".ada", "acme.", "acme.*"])
    expect(await run(`${subject} --all --yes`)).toMatchObject({ code: 2 });
  expect(await run("ada --service catalog --yes")).toMatchObject({
    code: 3,
    err: 'skerry: "catalog" has nothing personal to forget\n',
  });
  expect(forgotten).toEqual([]);
  expect(await run("ada --service orders", "yes\n")).toMatchObject({ code: 0 });
  expect(forgotten).toEqual(["orders ada"]);
});

test("a tenant's data subject is forgotten where tenants are kept apart, and refused where they are not", async () => {
  const { run, forgotten } = setUp({ ofTenants: true });
  expect(await run("acme.ada --service orders --yes")).toMatchObject({ code: 0 });
  expect(await run("ada --service orders --yes")).toMatchObject({ code: 1 });
  expect(forgotten).toEqual(["orders acme.ada"]);
  const without = setUp();
  expect(await without.run("acme.ada --service orders --yes")).toMatchObject({ code: 1 });
  expect(without.forgotten).toEqual([]);
});
