import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type InProcessProvider, startProvider } from "./in-process-provider.ts";
import type { Behaviour } from "./provider.ts";

describe("the fake payment provider", () => {
  let slept: number[];
  let provider: InProcessProvider;

  beforeEach(() => {
    slept = [];
    provider = startProvider(async (ms) => void slept.push(ms));
  });
  afterEach(() => provider.close());

  const authorise = (orderId: string, amount = 100) =>
    provider.app.request("/authorisations", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": orderId },
      body: JSON.stringify({ orderId, amount, currency: "EUR" }),
    });
  const remove = (path: string) => provider.app.request(path, { method: "DELETE" });
  const behave = (behaviour: Behaviour) =>
    provider.app.request("/behaviour", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(behaviour),
    });
  const list = async (query = "") => (await provider.app.request(`/authorisations${query}`)).json();

  it("authorises once per key, also after a restart", async () => {
    const first = await authorise("o1");
    expect(first.status).toBe(201);
    provider = provider.restart();
    expect(await (await authorise("o1")).json()).toEqual(await first.json());
    expect(await list()).toMatchObject({ count: 1, live: 1 });
  });

  it("refuses a key that comes back with another amount", async () => {
    await authorise("o1", 100);
    expect((await authorise("o1", 101)).status).toBe(422);
  });

  it("declines as long as it is told to, and stays with what it declined", async () => {
    await behave({ mode: "decline", times: 1 });
    expect((await authorise("o1")).status).toBe(402);
    expect((await authorise("o1")).status).toBe(402);
    expect((await authorise("o2")).status).toBe(201);
    expect(await (await provider.app.request("/behaviour")).json()).toEqual({ mode: "approve" });
  });

  it("fails without doing anything", async () => {
    await behave({ mode: "fail", times: 2 });
    expect((await authorise("o1")).status).toBe(503);
    expect((await remove("/authorisations?idempotencyKey=o1")).status).toBe(503);
    expect(await list()).toMatchObject({ count: 0 });
    expect((await authorise("o1")).status).toBe(201);
  });

  it("when slow, has done at once what it answers late", async () => {
    await behave({ mode: "slow", delayMs: 1234, times: 1 });
    expect((await authorise("o1")).status).toBe(201);
    expect((await authorise("o1")).status).toBe(201);
    expect(slept).toEqual([1234, 0]);
  });

  it("voids by id, again and again", async () => {
    const { authorisationId } = (await (await authorise("o1")).json()) as { authorisationId: string };
    expect((await remove(`/authorisations/${authorisationId}`)).status).toBe(204);
    expect((await remove(`/authorisations/${authorisationId}`)).status).toBe(204);
    expect(await list("?orderId=o1")).toMatchObject({ count: 1, live: 0, items: [{ status: "voided" }] });
    expect((await authorise("o1")).status).toBe(409);
  });

  it("knows nothing of an id that it never gave", async () =>
    expect((await remove("/authorisations/other")).status).toBe(404));

  it("voids by key what was authorised, and what would be", async () => {
    await authorise("o1");
    expect((await remove("/authorisations?idempotencyKey=o1")).status).toBe(204);
    expect((await remove("/authorisations?idempotencyKey=o2")).status).toBe(204);
    expect((await authorise("o2")).status).toBe(409);
    expect(await list()).toMatchObject({ count: 1, live: 0 });
  });

  it("lists in pages", async () => {
    for (const orderId of ["o1", "o2", "o3"]) await authorise(orderId);
    const first = (await list("?limit=2")) as { items: unknown[]; next: number };
    expect(first.items).toHaveLength(2);
    expect(await list(`?limit=2&cursor=${first.next}`)).toEqual({
      count: 3,
      live: 3,
      items: [expect.objectContaining({ orderId: "o3" })],
    });
  });

  it("refuses what it does not understand", async () => {
    expect((await behave({ mode: "sulk" } as never)).status).toBe(400);
    expect((await provider.app.request("/authorisations", { method: "POST", body: "{" })).status).toBe(400);
  });
});
