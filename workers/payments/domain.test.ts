import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { specification } from "#shared/cqrs/specification.ts";
import type { PaymentEvent } from "./contract.ts";
import { type PaymentCommand, payment } from "./domain.ts";

const amount = { amount: 1999, currency: "EUR" } as const;
const authorised: PaymentEvent = {
  type: "PaymentAuthorised",
  data: { orderId: "o1", amount, authorisationId: "a1" },
};
const declined: PaymentEvent = {
  type: "PaymentDeclined",
  data: { orderId: "o1", amount, detail: "no funds" },
};
const voided: PaymentEvent = { type: "PaymentVoided", data: { orderId: "o1" } };
const authorise: PaymentCommand = {
  type: "RecordAuthorisation",
  orderId: "o1",
  amount,
  authorisationId: "a1",
};
const decline: PaymentCommand = { type: "RecordDecline", orderId: "o1", amount, detail: "no funds" };
const voidIt: PaymentCommand = { type: "VoidPayment", orderId: "o1" };

describe("payment", () => {
  const { given } = specification(payment);

  it("is authorised or declined by the provider's answer", () => {
    given([]).when(authorise).records([authorised]);
    given([]).when(decline).records([declined]);
  });

  it("stays as decided when told the same again", () => {
    given([authorised]).when(authorise).records([]);
    given([declined]).when(decline).records([]);
    given([authorised, voided]).when(voidIt).records([]);
  });

  it("is never decided the other way", () => {
    given([authorised]).when(decline).refuses("payment_decided", "already authorised");
    given([declined]).when(authorise).refuses("payment_decided", "already declined");
  });

  it("is voided after it was authorised", () => given([authorised]).when(voidIt).records([voided]));

  it("has nothing to void after it was declined", () => given([declined]).when(voidIt).records([]));

  it("is never authorised after a void, also when the void came first", () => {
    given([]).when(voidIt).records([voided]);
    given([voided]).when(authorise).refuses("payment_decided", "already voided");
    given([voided]).when(decline).refuses("payment_decided", "already voided");
    given([authorised, voided]).when(authorise).refuses("payment_decided", "already voided");
  });

  it("ends in one way only, whatever is asked in whatever order", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(authorise, decline, voidIt), { maxLength: 12 }), (commands) => {
        let state = payment.initialState();
        const history: string[] = [];
        for (const command of commands) {
          const decision = payment.decide(command, state);
          const events = decision.ok ? decision.value : [];
          state = events.reduce(payment.evolve, state);
          history.push(...events.map(({ type }) => type));
        }
        expect([
          "",
          "PaymentAuthorised",
          "PaymentDeclined",
          "PaymentVoided",
          "PaymentAuthorised,PaymentVoided",
        ]).toContain(history.join());
      }),
    );
  });
});
