import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Commit } from "#shared/events/event.ts";
import { d1ReadStore } from "#shared/storage/d1-read-store.ts";
import { startD1Database, type TestDatabase } from "#test/fake/d1-database.ts";
import type { PaymentEvent } from "../contract.ts";
import { d1PaymentStore } from "../payment-store.ts";
import { paymentsProjection } from "./payments.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await startD1Database("payments");
});
beforeEach(() => test.clear());
afterAll(() => test.close());

const TIMES = ["2026-01-01T00:00:01.000Z", "2026-01-01T00:00:02.000Z"];

/** Each event a commit, one second after the other. */
const commitsOf = (...events: PaymentEvent[]): Commit[] =>
  events.map((event, index) => ({
    aggregate: { type: "payment", id: event.data.orderId },
    position: index + 1,
    commandId: `c${index}`,
    trace: {},
    metadata: {},
    events: [{ ...event, id: `c${index}/0`, time: TIMES[index] ?? "", version: 1 }],
  }));

const apply = async (commits: readonly Commit[]) => {
  const store = d1ReadStore(test.database);
  const from = await store.checkpoint(paymentsProjection.name);
  const to = commits.at(-1)?.position ?? from;
  const changes = paymentsProjection.changes(commits);
  await store.apply({ projection: paymentsProjection.name, from, to, changes });
};
const rows = () => d1PaymentStore(test.database).list({ orderId: undefined, before: undefined, limit: 10 });

const amount = { amount: 1999, currency: "EUR" } as const;
const authorised = (orderId: string): PaymentEvent => ({
  type: "PaymentAuthorised",
  data: { orderId, amount, authorisationId: `a-${orderId}` },
});
const declined = (orderId: string): PaymentEvent => ({
  type: "PaymentDeclined",
  data: { orderId, amount, detail: "no funds" },
});
const voided = (orderId: string): PaymentEvent => ({ type: "PaymentVoided", data: { orderId } });

const nothing = {
  amount: null,
  currency: null,
  authorisationId: null,
  detail: null,
  authorisedAt: null,
  declinedAt: null,
  voidedAt: null,
};

describe("payments", () => {
  const voidedLater = {
    ...nothing,
    orderId: "o1",
    status: "voided",
    ...amount,
    authorisationId: "a-o1",
    authorisedAt: TIMES[0],
    voidedAt: TIMES[1],
  };

  it("keeps what was authorised when it is voided, in the same batch", async () => {
    await apply(commitsOf(authorised("o1"), voided("o1")));
    expect(await rows()).toEqual([voidedLater]);
  });

  it("keeps what was authorised when it is voided, in a later batch", async () => {
    const [first, second] = commitsOf(authorised("o1"), voided("o1"));
    await apply(first ? [first] : []);
    await apply(second ? [second] : []);
    expect(await rows()).toEqual([voidedLater]);
  });

  it("tells why a payment was declined", async () => {
    await apply(commitsOf(declined("o1")));
    expect(await rows()).toEqual([
      { ...nothing, orderId: "o1", status: "declined", ...amount, detail: "no funds", declinedAt: TIMES[0] },
    ]);
  });

  it("knows no amount of what was voided before anything was asked", async () => {
    await apply(commitsOf(voided("o1")));
    expect(await rows()).toEqual([{ ...nothing, orderId: "o1", status: "voided", voidedAt: TIMES[0] }]);
  });

  it("keeps orders apart", async () => {
    await apply(commitsOf(authorised("o1"), declined("o2")));
    expect(await rows()).toMatchObject([
      { orderId: "o2", status: "declined" },
      { orderId: "o1", status: "authorised" },
    ]);
  });
});
