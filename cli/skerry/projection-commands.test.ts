/** Holds that what a person types reaches the projections of a running service, and that the answer is readable. */
import { expect, test } from "vitest";
import { addProjectionRoutes } from "#shared/cqrs/projection-routes.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { appendCommits, countingProjection } from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { runCommand } from "#test/setup/run-command.ts";

/** A gateway with the registry and the services `orders`, which has a projection, `catalog`, which has none, and two of others, which answer anything. */
const setUp = async (world: { readonly down?: string } = {}) => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, 1_200);
  const { projection, time } = testProjectors({ projection: countingProjection, log, store: memory.store });
  await projection.wake({});
  await time.pass(100);
  const app = createServiceApp({ name: "orders", major: 2, description: "", problems: {}, readiness: [] });
  addProjectionRoutes(app, { projectors: { named: () => projection }, names: ["numbers"] });
  const serviceOf = (service: string, version: string) => ({ service, instances: [{ id: "a", version }] });
  const ask: typeof fetch = async (input, init) => {
    const { pathname } = new URL(`${input}`);
    if (pathname === "/control/v1/registry")
      return Response.json({
        items: ["orders 2.1.0", "catalog 1.0.0", "reviews 1.0.0", "pages 1.0.0"].map((known) => {
          const [service = "", version = ""] = known.split(" ");
          return serviceOf(service, version);
        }),
      });
    if (world.down && pathname.startsWith(`/${world.down}/`))
      return Response.json({ title: "It is away", status: 503 }, { status: 503 });
    if (pathname.startsWith("/reviews/")) return Response.json({ stars: 5 });
    if (pathname.startsWith("/pages/")) return new Response("<h1>Welcome</h1>");
    if (pathname === "/control/v1/registry/orders") return Response.json(serviceOf("orders", "2.1.0"));
    // What is asked for happens while the answer is on its way.
    const answer = await app.request(pathname, init);
    await time.pass(2_000);
    return answer;
  };
  const env = { SKERRY_URL: "http://gateway.test", SKERRY_TOKEN: "sesame" };
  const run = (...args: string[]) => runCommand(["projection", ...args], { env, cwd: "/", fetch: ask });
  return { run, memory };
};

test("the list shows each read model, its place in the log and what it does", async () => {
  const { run } = await setUp();
  const { code, out } = await run("list");
  expect(code).toBe(0);
  expect(out).toMatch(/orders +numbers +1 +1200 +0 commits, 0\.0 s +0 +following/);
  const listed = JSON.parse((await run("list", "--service", "orders", "--json")).out);
  expect(listed.items).toMatchObject([{ service: "orders", projection: "numbers", behindCommits: 0 }]);
});

test("a rebuild is followed to its end, its old tables are kept, and dropped when asked", async () => {
  const { run, memory } = await setUp();
  const rebuilt = await run("rebuild", "numbers", "--keep");
  expect(rebuilt).toMatchObject({ code: 0, out: "orders numbers: rebuilt, up to position 1200\n" });
  expect(rebuilt.err).toMatch(/numbers █{24} 100 % done, 1,200 of 1,200/);
  expect(memory.tables()).toEqual(["numbers", "numbers__old"]);
  expect(await run("drop-old", "numbers")).toMatchObject({ code: 0 });
  expect(memory.tables()).toEqual(["numbers"]);
});

test("a name that no service has is told with those that there are", async () => {
  const { run } = await setUp();
  expect(await run("rebuild", "names")).toEqual({
    code: 3,
    out: "",
    err: 'skerry: cannot find the projection "names": expected one of orders numbers\n',
  });
  expect(await run("cancel", "numbers")).toMatchObject({ code: 3 });
});

test("a service that is down hides nothing of the others, and is named", async () => {
  const { run } = await setUp({ down: "reviews" });
  const listed = await run("list");
  expect(listed).toMatchObject({ code: 6, err: 'skerry: "reviews" said nothing: It is away\n' });
  expect(listed.out).toMatch(/orders +numbers .*following/);
  expect(await run("rebuild", "numbers")).toMatchObject({ code: 0 });
  expect(await run("rebuild", "names")).toMatchObject({
    code: 6,
    err: 'skerry: cannot find the projection "names": expected one of orders numbers; "reviews" said nothing: It is away\n',
  });
});

test("the only service that is asked is not taken for one of many", async () => {
  const { run } = await setUp({ down: "orders" });
  expect(await run("list", "--service", "orders")).toEqual({ code: 6, out: "", err: "skerry: It is away\n" });
});
