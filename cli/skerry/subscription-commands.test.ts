/** Holds that what a person types reaches the processes of a running service, and that the answer is readable. */
import { expect, test } from "vitest";
import { processActor } from "#shared/cqrs/process-actor.ts";
import { addProcessRoutes } from "#shared/cqrs/process-routes.ts";
import { addSubscriptionRoutes } from "#shared/cqrs/subscription-routes.ts";
import { memoryEventLog } from "#shared/events/memory-event-log.ts";
import { createServiceApp } from "#shared/http/service-app.ts";
import { err, ok } from "#shared/result.ts";
import { testActorContext } from "#test/fake/actor-context.ts";
import { runCommand } from "#test/setup/run-command.ts";

const TRACE = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

/** The service `payments`, whose process `collect` refuses the events of the aggregates that begin with "bad". */
const setUp = async ({ bad = 1 } = {}) => {
  const context = testActorContext();
  const { time } = context;
  const log = memoryEventLog(time.clock);
  const write = (id: string) =>
    log.append({
      aggregate: { type: "order", id },
      expectedPosition: 0,
      expectedVersion: 0,
      commandId: `c-${id}`,
      at: time.clock(),
      events: [{ type: "OrderPlaced", data: { id } }],
      trace: TRACE,
    });
  for (let n = 1; n <= bad; n++) await write(`bad${n}`);
  await write("good");
  const state = { mended: false };
  const handled: string[] = [];
  const actor = processActor({
    context,
    process: {
      name: "collect",
      source: "orders",
      handles: ["OrderPlaced"],
      async handle(_, { aggregate: { id } }) {
        if (id.startsWith("bad") && !state.mended) return err({ code: "card_refused", detail: "no money" });
        handled.push(id);
        return ok(null);
      },
    },
    log,
    clock: time.clock,
    random: () => 0.5,
    sleep: context.sleep,
  });
  context.onAlarm(actor.alarm);
  await actor.methods.wake({});
  await time.pass(30_000);
  const app = createServiceApp({ name: "payments", major: 1, description: "", problems: {}, readiness: [] });
  const events = { processors: { named: () => actor.methods }, names: ["collect"] };
  addProcessRoutes(app, { processors: events.processors, processes: events.names });
  addSubscriptionRoutes(app, events);
  const keys: (string | null)[] = [];
  const ask: typeof fetch = async (input, init) => {
    const { pathname, search } = new URL(`${input}`);
    const payments = { service: "payments", instances: [{ id: "a", version: "1.0.0" }] };
    const catalog = { service: "catalog", instances: [{ id: "a", version: "1.0.0" }] };
    if (pathname === "/control/v1/registry") return Response.json({ items: [catalog, payments] });
    if (pathname === "/control/v1/registry/payments") return Response.json(payments);
    keys.push(new Headers(init?.headers).get("x-api-key"));
    const answer = await app.request(`${pathname}${search}`, init);
    await time.pass(2_000);
    return answer;
  };
  const env = { SKERRY_URL: "http://gateway.test", SKERRY_TOKEN: "sesame", SKERRY_API_KEY: "sk_ops" };
  const run = (...args: string[]) => runCommand(args, { env, cwd: "/", fetch: ask });
  return { run, state, handled, keys, write, time };
};

test("the list shows each subscription, its place in the log, and what it does", async () => {
  const { run, keys } = await setUp();
  const { code, out } = await run("subscription", "list");
  expect(code).toBe(0);
  expect(out).toMatch(/payments +collect +orders +2 +0 commits, 0\.0 s +0 +1 +following/);
  const listed = JSON.parse((await run("subscription", "list", "--service", "payments", "--json")).out);
  expect(listed.items).toMatchObject([{ service: "payments", name: "collect", lag: { commits: 0 } }]);
  expect(new Set(keys)).toEqual(new Set(["sk_ops"]));
});

test("a pause holds until it is resumed", async () => {
  const { run, handled, write, time } = await setUp();
  expect(await run("subscription", "pause", "collect")).toMatchObject({
    code: 0,
    out: "payments collect: paused at position 2\n",
  });
  await write("later");
  await time.pass(120_000);
  expect((await run("subscription", "list")).out).toMatch(/1 commits, 12\d\.\d s .*paused since /);
  expect(handled).toEqual(["good"]);
  expect((await run("subscription", "resume", "collect")).out).toBe(
    "payments collect: goes on after position 2\n",
  );
  expect(handled).toEqual(["good", "later"]);
});

test("a replay is followed to its end, from a position or a time", async () => {
  const { run, handled } = await setUp();
  const replayed = await run("subscription", "replay", "collect", "--from", "2");
  expect(replayed).toMatchObject({
    code: 0,
    out: "payments collect: replayed up to position 2, 0 waiting, 1 parked\n",
  });
  expect(replayed.err).toMatch(/collect █{24} 100 %, 2 of 2/);
  expect(handled).toEqual(["good", "good"]);
  expect(await run("subscription", "replay", "collect", "--from", "soon")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^skerry: cannot replay from "soon": expected a position.*\n$/),
  });
  expect(await run("subscription", "replay", "collect", "--from", "3")).toMatchObject({
    code: 2,
    err: 'skerry: cannot replay from 3: "collect" has handled nothing beyond 2, expected a position up to that\n',
  });
});

test("what is parked is listed, shown whole, replayed, and then gone", async () => {
  const { run, state, handled } = await setUp();
  expect((await run("parked", "list")).out).toMatch(
    /payments +collect +c-bad1\/0 +OrderPlaced +bad1 +6 .*card_refused: no money/,
  );
  const { out } = await run("parked", "show", "c-bad1/0");
  expect(out).toContain("trace       0af7651916cd43dd8448eb211c80319c\n");
  expect(out).toContain('"id": "bad1"');
  const failed = await run("parked", "replay", "c-bad1/0");
  expect(failed).toMatchObject({ code: 6, out: "" });
  expect(failed.err).toContain("card_refused, no money");
  state.mended = true;
  expect(await run("parked", "replay", "c-bad1/0")).toMatchObject({ code: 0 });
  expect(handled).toEqual(["good", "bad1"]);
  expect((await run("parked", "list")).out).toBe("nothing\n");
  expect(await run("parked", "show", "c-bad1/0")).toMatchObject({
    code: 3,
    err: 'skerry: cannot find "c-bad1/0": no process of catalog, payments has parked it\n',
  });
});

test("all that a subscription has parked is replayed page by page, with counts", async () => {
  const { run, state } = await setUp({ bad: 120 });
  state.mended = true;
  expect(JSON.parse((await run("parked", "list", "--limit", "110", "--json")).out).items).toHaveLength(110);
  const { code, out, err: told } = await run("parked", "replay", "--subscription", "collect");
  expect({ code, out }).toEqual({
    code: 0,
    out: "payments collect: 120 handled, 0 failed and stay parked\n",
  });
  expect(told).toBe("50 handled, 0 failed so far\n100 handled, 0 failed so far\n");
});

test("an event is dropped for a reason only", async () => {
  const { run } = await setUp();
  expect(await run("parked", "drop", "c-bad1/0")).toMatchObject({ code: 2 });
  expect(await run("parked", "drop", "c-bad1/0", "--reason", "paid by hand")).toMatchObject({
    code: 0,
    out: 'payments collect: "c-bad1/0" is dropped\n',
  });
  expect((await run("parked", "list")).out).toBe("nothing\n");
});
