import { describe, expect, it } from "vitest";
import { appendCommits, countingProjection } from "#test/fake/counting-projection.ts";
import { memoryReadStore } from "#test/fake/memory-read-store.ts";
import { testProjectors } from "#test/fake/projectors.ts";
import { memoryEventLog } from "../events/memory-event-log.ts";
import { createServiceApp } from "../http/service-app.ts";
import { addProjectionRoutes } from "./projection-routes.ts";

const setUp = async () => {
  const log = memoryEventLog();
  const memory = memoryReadStore("numbers");
  await appendCommits(log, 4);
  const { projection, time } = testProjectors({ projection: countingProjection, log, store: memory.store });
  await projection.wake({});
  await time.pass(100);
  const app = createServiceApp({ name: "things", major: 1, description: "", problems: {}, readiness: [] });
  addProjectionRoutes(app, { projectors: { named: () => projection }, names: ["numbers"] });
  const ask = async (method: string, path: string, body?: object) => {
    const answer = await app.request(`/things/v1/projections${path}`, {
      method,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  return { ask, log, memory, time };
};

describe("the projections of a service", () => {
  it("are listed with how far they are behind the log", async () => {
    const { ask, log, memory, time } = await setUp();
    const item = { projection: "numbers", version: 1, shards: 1, position: 4 };
    expect(await ask("GET", "")).toEqual({
      status: 200,
      body: { items: [{ ...item, behindCommits: 0, behindSeconds: 0 }] },
    });
    memory.around = (method, call) =>
      method === "apply" ? Promise.reject(new Error("database is away")) : call();
    await appendCommits(log, 3);
    await time.pass(1_000);
    const { body } = await ask("GET", "");
    expect(body.items[0]).toMatchObject({ ...item, behindCommits: 3, failure: "database is away" });
    expect(body.items[0].behindSeconds).toBeGreaterThan(0);
  });

  it("are rebuilt when asked, and show how far that is", async () => {
    const { ask, time } = await setUp();
    const begun = await ask("POST", "/numbers/rebuilds", { keep: true });
    expect(begun).toMatchObject({ status: 202, body: { id: "1", phase: "preparing", keep: true } });
    await time.pass(1_000);
    expect(await ask("GET", "/numbers/rebuilds/1")).toMatchObject({
      status: 200,
      body: { phase: "done", position: 4, target: 4 },
    });
    expect(await ask("DELETE", "/numbers/rebuilds/1")).toMatchObject({ status: 404 });
    expect(await ask("DELETE", "/numbers/old")).toEqual({ status: 204, body: undefined });
  });

  it("can have a rebuild given up", async () => {
    const { ask, memory, time } = await setUp();
    memory.around = (method, call) =>
      method === "createCopies" ? Promise.reject(new Error("no room")) : call();
    await ask("POST", "/numbers/rebuilds", {});
    await time.pass(1_000);
    expect(await ask("DELETE", "/numbers/rebuilds/1")).toMatchObject({ status: 202 });
    await time.pass(1_000);
    expect(await ask("GET", "/numbers/rebuilds/1")).toMatchObject({ body: { phase: "cancelled" } });
  });

  it.each([
    ["POST", "/names/rebuilds", 'the projection "names": expected one of numbers'],
    ["GET", "/numbers/rebuilds/7", 'the rebuild "7" of "numbers": there was none'],
    ["DELETE", "/names/old", 'the projection "names"'],
  ])("are named rightly, or not found: %s %s", async (method, path, detail) => {
    const { ask } = await setUp();
    const answer = await ask(method, path, method === "POST" ? {} : undefined);
    expect(answer).toMatchObject({ status: 404, body: { detail: expect.stringContaining(detail) } });
  });
});
