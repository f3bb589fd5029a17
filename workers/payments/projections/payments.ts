/** The read model of payments: one row an order, as its payment stands now. */
import type { Projection } from "#shared/cqrs/projection.ts";
import type { Row } from "#shared/cqrs/row-change.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import type { PaymentEvent } from "../contract.ts";

/** What an event says; null keeps what stands. */
const NOTHING = {
  amount: null,
  currency: null,
  authorisation_id: null,
  detail: null,
  authorised_at: null,
  declined_at: null,
  voided_at: null,
};

const changeOf = ({ type, data, time }: RecordedEvent<PaymentEvent>): Row | undefined => {
  switch (type) {
    case "PaymentAuthorised": {
      const { amount, authorisationId } = data;
      return { status: "authorised", ...amount, authorisation_id: authorisationId, authorised_at: time };
    }
    case "PaymentDeclined":
      return { status: "declined", ...data.amount, detail: data.detail, declined_at: time };
    case "PaymentVoided":
      return { status: "voided", voided_at: time };
    default:
      return undefined;
  }
};

export const paymentsProjection: Projection = {
  name: "payments",
  tables: ["payments"],
  changes(commits) {
    const rows = new Map<string, Row>();
    for (const event of commits.flatMap(({ events }) => events) as readonly RecordedEvent<PaymentEvent>[]) {
      const { orderId } = event.data;
      const change = changeOf(event);
      if (change) rows.set(orderId, { order_id: orderId, ...NOTHING, ...rows.get(orderId), ...change });
    }
    return [{ change: "merge", table: "payments", key: ["order_id"], rows: [...rows.values()] }];
  },
};
