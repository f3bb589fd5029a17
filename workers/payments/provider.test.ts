import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Upstream } from "#shared/http/upstream.ts";
import { appUpstream } from "#shared/http/upstream-app.ts";
import { type InProcessProvider, startProvider } from "#test/fake/payment-provider/in-process-provider.ts";
import type { Behaviour } from "#test/fake/payment-provider/provider.ts";
import { httpPaymentProvider, type PaymentProvider } from "./provider.ts";

const never = () => new AbortController().signal;
const amount = { amount: 1999, currency: "EUR" } as const;

/** An upstream that answers every request alike and keeps what it was asked. */
const answering = (status: number, body?: unknown) => {
  const asked: Request[] = [];
  const upstream: Upstream = {
    async fetch(request) {
      asked.push(request.clone());
      return body === undefined ? new Response(null, { status }) : Response.json(body, { status });
    },
  };
  return { asked, provider: httpPaymentProvider(upstream, never) };
};

const failing = { ok: false, error: { code: "provider_failed", detail: expect.any(String) } };

describe("the payment provider over HTTP", () => {
  it("asks for an authorisation under the order's id as its key", async () => {
    const { asked, provider } = answering(201, { authorisationId: "a1" });
    expect(await provider.authorise("o1", amount)).toEqual({
      ok: true,
      value: { outcome: "authorised", authorisationId: "a1" },
    });
    const [request] = asked;
    expect(request?.method).toBe("POST");
    expect(new URL(request?.url ?? "").pathname).toBe("/authorisations");
    expect(request?.headers.get("idempotency-key")).toBe("o1");
    expect(await request?.json()).toEqual({ orderId: "o1", amount: 1999, currency: "EUR" });
  });

  it.each([402, 409])("takes a %i for a decline, with the provider's words", async (status) => {
    const { provider } = answering(status, { detail: "The card was declined." });
    expect(await provider.authorise("o1", amount)).toEqual({
      ok: true,
      value: { outcome: "declined", detail: "The card was declined." },
    });
  });

  it.each([
    [500, undefined],
    [503, { detail: "out of order" }],
    [422, { detail: "key reused" }],
    [200, { authorisationId: "a1" }],
    [201, { id: "a1" }],
    [402, undefined],
  ])("takes %i %o for no answer at all", async (status, body) => {
    const { provider } = answering(status, body);
    expect(await provider.authorise("o1", amount)).toEqual(failing);
  });

  it("gives up at the deadline", async () => {
    const deadline = new AbortController();
    const silent = appUpstream({ fetch: () => new Promise<Response>(() => undefined) });
    const asked = httpPaymentProvider(silent, () => deadline.signal).authorise("o1", amount);
    deadline.abort(new DOMException("too late", "TimeoutError"));
    expect(await asked).toEqual({
      ok: false,
      error: { code: "provider_failed", detail: expect.stringContaining("too late") },
    });
  });

  it("voids by id and by order, and is content when there is nothing to void", async () => {
    const gone = answering(204);
    expect(await gone.provider.void("a/1")).toEqual({ ok: true });
    expect(await gone.provider.voidOrder("o1")).toEqual({ ok: true });
    expect(gone.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "DELETE http://payment-provider/authorisations/a%2F1",
      "DELETE http://payment-provider/authorisations?idempotencyKey=o1",
    ]);
    expect(await answering(404, {}).provider.void("a1")).toEqual({ ok: true });
  });

  it("does not take a failed void for done", async () => {
    expect(await answering(503).provider.void("a1")).toEqual(failing);
    expect(await answering(503).provider.voidOrder("o1")).toEqual(failing);
  });
});

describe("the payment provider against the fake one", () => {
  let fake: InProcessProvider;
  let deadline: AbortController;
  let provider: PaymentProvider;

  beforeEach(() => {
    deadline = new AbortController();
    const untilDeadline = async (ms: number) => {
      if (ms > 0) deadline.abort(new DOMException("too late", "TimeoutError"));
    };
    fake = startProvider(untilDeadline);
    provider = httpPaymentProvider(appUpstream(fake.app), () => deadline.signal);
  });
  afterEach(() => fake.close());

  const behave = (behaviour: Behaviour) =>
    fake.app.request("/behaviour", { method: "PUT", body: JSON.stringify(behaviour) });
  const live = async () =>
    ((await (await fake.app.request("/authorisations")).json()) as { live: number }).live;

  it("authorises once per order and voids by id", async () => {
    const authorised = { ok: true, value: { outcome: "authorised", authorisationId: "a1" } };
    expect(await provider.authorise("o1", amount)).toEqual(authorised);
    expect(await provider.authorise("o1", amount)).toEqual(authorised);
    expect(await live()).toBe(1);
    expect(await provider.void("a1")).toEqual({ ok: true });
    expect(await live()).toBe(0);
  });

  it("voids by order what came too late to be known", async () => {
    await behave({ mode: "slow", delayMs: 3_000 });
    expect(await provider.authorise("o1", amount)).toEqual(failing);
    expect(await live()).toBe(1);
    deadline = new AbortController();
    await behave({ mode: "approve" });
    expect(await provider.voidOrder("o1")).toEqual({ ok: true });
    expect(await live()).toBe(0);
  });

  it("is declined where the provider was told of the void first", async () => {
    await provider.voidOrder("o1");
    expect(await provider.authorise("o1", amount)).toMatchObject({ value: { outcome: "declined" } });
  });

  it("tells declines from failures", async () => {
    await behave({ mode: "decline", times: 1 });
    expect(await provider.authorise("o1", amount)).toMatchObject({ value: { outcome: "declined" } });
    await behave({ mode: "fail", times: 2 });
    expect(await provider.authorise("o2", amount)).toEqual(failing);
    expect(await provider.voidOrder("o2")).toEqual(failing);
  });
});
