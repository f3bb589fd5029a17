import { beforeEach, describe, expect, it } from "vitest";
import { createServiceApp, type ServiceApp } from "#shared/http/service-app.ts";
import { PAYMENTS, PAYMENTS_PROBLEMS } from "./contract.ts";
import type { PaymentRow, PaymentStore } from "./payment-store.ts";
import { addPaymentRoutes } from "./routes.ts";

const orderIdOf = (number: number) => `01932f6e-8f3a-7c52-b1de-0a4f6c1d9e7${number}`;

const voidedUnasked: PaymentRow = {
  orderId: orderIdOf(1),
  status: "voided",
  amount: null,
  currency: null,
  authorisationId: null,
  detail: null,
  authorisedAt: null,
  declinedAt: null,
  voidedAt: "2026-01-01T00:00:00.000Z",
};
const authorised: PaymentRow = {
  ...voidedUnasked,
  orderId: orderIdOf(2),
  status: "authorised",
  amount: 0,
  currency: "EUR",
  authorisationId: "a1",
  authorisedAt: "2026-01-01T00:00:00.000Z",
  voidedAt: null,
};
const newest: PaymentRow = { ...authorised, orderId: orderIdOf(3) };

const store: PaymentStore = {
  list: async ({ orderId, before, limit }) =>
    [newest, authorised, voidedUnasked]
      .filter((row) => orderId === undefined || row.orderId === orderId)
      .filter((row) => before === undefined || row.orderId < before)
      .slice(0, limit),
};

let app: ServiceApp;
let asked: unknown[];
beforeEach(() => {
  asked = [];
  app = createServiceApp({
    name: PAYMENTS.service,
    major: PAYMENTS.major,
    description: "",
    problems: PAYMENTS_PROBLEMS,
    readiness: [],
  });
  const waitFor = async (wanted: { position: number }) => {
    asked.push(wanted.position);
    return wanted.position <= 7;
  };
  addPaymentRoutes(app, { store, projector: () => ({ waitFor }) });
});

const list = (query: string, headers: Record<string, string> = {}) =>
  app.request(`/payments/v1/payments${query}`, { headers });

describe("the payments", () => {
  it("tell of one order what is known, and leave out what is not", async () => {
    expect(await (await list(`?orderId=${orderIdOf(2)}`)).json()).toEqual({
      items: [
        {
          orderId: orderIdOf(2),
          status: "authorised",
          amount: { amount: 0, currency: "EUR" },
          authorisationId: "a1",
          authorisedAt: "2026-01-01T00:00:00.000Z",
        },
      ],
    });
    expect(await (await list(`?orderId=${orderIdOf(1)}`)).json()).toEqual({
      items: [{ orderId: orderIdOf(1), status: "voided", voidedAt: "2026-01-01T00:00:00.000Z" }],
    });
  });

  it("are none for an order that was not paid yet", async () =>
    expect(await (await list(`?orderId=${orderIdOf(9)}`)).json()).toEqual({ items: [] }));

  it("come in pages, those of the newest orders first", async () => {
    const first = await list("?limit=2");
    expect(await first.json()).toMatchObject({
      items: [{ orderId: orderIdOf(3) }, { orderId: orderIdOf(2) }],
    });
    const next = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await app.request(next);
    expect(await second.json()).toMatchObject({ items: [{ orderId: orderIdOf(1) }] });
    expect(second.headers.get("link")).toBeNull();
  });

  it("are as new as asked for, or not told", async () => {
    expect((await list("", { "skerry-min-position": "payments=7" })).status).toBe(200);
    expect((await list("", { "skerry-min-position": "payments=8" })).status).toBe(503);
    expect(asked).toEqual([7, 8]);
  });

  it.each(["?orderId=o1", "?orderId=", "?cursor=x", "?limit=0", "?customer=1"])("refuse %s", async (query) =>
    expect((await list(query)).status).toBe(400),
  );
});
