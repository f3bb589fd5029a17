/**
 * Has an order paid and voids what an ended order paid, so that nothing stays authorised after a void,
 * whichever comes first, however often, and wherever a crash falls between the provider's answer and our record of it.
 */
import type { CommandMethods } from "#shared/cqrs/command-actor.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { stateOf } from "#shared/cqrs/state-of.ts";
import { type CommitMetadata, causedBy } from "#shared/events/commit-metadata.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { Failure } from "#shared/http/errors.ts";
import type { Money } from "#shared/http/schemas.ts";
import { ok, type Result } from "#shared/result.ts";
import type { OrderEvent } from "../../orders/contract.ts";
import { type PaymentCommand, payment } from "../domain.ts";
import type { AuthorisationAnswer, PaymentProvider } from "../provider.ts";

type Trigger = Extract<OrderEvent, { type: "OrderStockReserved" | "OrderRejected" | "OrderCancelled" }>;
type Outcome = Result<unknown, Failure>;

/** The event at work: its commands' ids and metadata come of it. */
type Cause = { readonly eventId: string; readonly metadata: CommitMetadata };

export const collectPayment = (
  commands: Pick<CommandMethods, "execute" | "history" | "state">,
  provider: PaymentProvider,
): Process => {
  const execute = (command: PaymentCommand, { eventId, metadata }: Cause, step: string) =>
    commands.execute({
      type: payment.type,
      id: command.orderId,
      command,
      commandId: `${eventId}/${step}`,
      metadata,
    });

  const paymentOf = (orderId: string) => stateOf(commands, payment, orderId);

  const collect = async (cause: Cause, orderId: string, amount: Money): Promise<Outcome> => {
    const before = await paymentOf(orderId);
    if (!before.ok) return before;
    if (before.value.status !== "open") return ok(before.value);
    const answer = await provider.authorise(orderId, amount);
    if (!answer.ok) return answer;
    return record(cause, { orderId, amount }, answer.value);
  };

  const record = async (
    cause: Cause,
    order: { orderId: string; amount: Money },
    answer: AuthorisationAnswer,
  ): Promise<Outcome> => {
    if (answer.outcome === "declined") {
      const declined = { type: "RecordDecline", ...order, detail: answer.detail } as const;
      return acceptDecided(await execute(declined, cause, "decline"));
    }
    const { authorisationId } = answer;
    const authorised = { type: "RecordAuthorisation", ...order, authorisationId } as const;
    const recorded = await execute(authorised, cause, "authorise");
    if (recorded.ok || recorded.error.code !== "payment_decided") return recorded;
    // The void came while the provider was at it: nobody else knows of this authorisation.
    return provider.void(authorisationId);
  };

  const voidPayment = async (cause: Cause, orderId: string): Promise<Outcome> => {
    const before = await paymentOf(orderId);
    if (!before.ok || before.value.status === "declined") return before;
    if (before.value.status === "authorised") {
      const voided = await provider.void(before.value.authorisationId);
      if (!voided.ok) return voided;
    }
    const recorded = await execute({ type: "VoidPayment", orderId }, cause, "void");
    if (!recorded.ok || before.value.status === "authorised") return recorded;
    // The provider may hold what no record tells of: its answer was late, or a crash came before we wrote it down.
    return provider.voidOrder(orderId);
  };

  return {
    name: "collect-payment",
    source: "orders",
    handles: ["OrderStockReserved", "OrderRejected", "OrderCancelled"] satisfies Trigger["type"][],
    handle(event, commit) {
      const { id, type, data } = event as RecordedEvent<Trigger>;
      const cause = { eventId: id, metadata: causedBy(event, commit) };
      return type === "OrderStockReserved"
        ? collect(cause, data.orderId, data.total)
        : voidPayment(cause, data.orderId);
    },
  };
};

/** Somebody else's decision that came first is no failure: it stands. */
const acceptDecided = (outcome: Outcome): Outcome =>
  outcome.ok || outcome.error.code !== "payment_decided" ? outcome : ok(undefined);
