import { expect, it } from "vitest";
import { appendCommits, counting, countingProjection } from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { ok } from "../result.ts";
import type { Projection } from "./projection.ts";
import type { ProjectionMethods } from "./projection-shards.ts";
import { type ServiceActors, serviceHealth } from "./service-health.ts";

const checkOf = (projection: ProjectionMethods) => {
  const nobody = () => Promise.reject(new Error("nobody is asked"));
  const service: ServiceActors = {
    commands: { execute: nobody, ready: async () => ok(undefined) } as unknown as ServiceActors["commands"],
    projectors: { named: () => projection },
    projections: ["numbers"],
    processors: { named: () => ({ wake: nobody, parked: nobody, replay: nobody }) as never },
    processes: [],
  };
  const check = serviceHealth(service).find(({ name }) => name === "projection numbers");
  if (!check) throw new Error("expected a check of the projection");
  return () => check.check();
};

const deploy = async (next: Projection) => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, 3);
  const before = testProjectors({ projection: countingProjection, log, store: memory.store });
  await before.projection.wake({});
  await before.time.pass(100);
  memory.around = (method, call) =>
    method === "createCopies" ? Promise.reject(new Error("no room")) : call();
  const { projection, time } = before.successor(next);
  const check = checkOf(projection);
  await check();
  await time.pass(100);
  const during = await check();
  memory.around = (_, call) => call();
  await time.pass(10_000);
  return { during, after: await check() };
};

const second: Projection = { ...countingProjection, version: 2, changes: counting(2) };

it("a service whose rows stay as they are until they are rebuilt is not ready, and says why", async () => {
  const { during, after } = await deploy(second);
  expect(during).toEqual({
    ok: false,
    error: { detail: "holds version 1 as it was, until 2 has been built beside it" },
  });
  expect(after).toEqual(ok(3));
});

it("a service whose rows go on by the former version meanwhile is ready", async () => {
  const { during } = await deploy({ ...second, former: { version: 1, changes: counting(1) } });
  expect(during).toEqual(ok(3));
});

it("a service whose projection stops at a commit tells which, and nothing of what is in it", async () => {
  const secret = "ada@example.com";
  const changes = () => {
    throw new Error(`invalid input for a number: "${secret}"`);
  };
  const log = memoryEventLog();
  await appendCommits(log, 1);
  const store = memoryReadStore("numbers").store;
  const { projection, time } = testProjectors({ projection: { ...countingProjection, changes }, log, store });
  const check = checkOf(projection);
  await check();
  await time.pass(100);
  expect(await check()).toEqual({
    ok: false,
    error: { detail: 'stopped at position 1, event "c1/0"' },
  });
  expect((await projection.details({})).failure).toContain(secret);
});
