/** The read model of payments: one row an order, as its payment stands now. */
import { type SQL, sql } from "drizzle-orm";
import type { Projection } from "#shared/cqrs/projection.ts";
import type { RecordedEvent } from "#shared/events/event.ts";
import { jsonRows } from "#shared/storage/json-rows.ts";
import type { PaymentEvent } from "../contract.ts";

/** What the commits say of one payment; what they do not say keeps what stands. */
type Change = {
  readonly orderId: string;
  readonly status: "authorised" | "declined" | "voided";
  readonly amount?: number;
  readonly currency?: string;
  readonly authorisationId?: string;
  readonly detail?: string;
  readonly authorisedAt?: string;
  readonly declinedAt?: string;
  readonly voidedAt?: string;
};

const upsertChanges = (changes: string): SQL => sql`
  INSERT INTO payments
    (order_id, status, amount, currency, authorisation_id, detail, authorised_at, declined_at, voided_at)
  SELECT value ->> 'orderId', value ->> 'status', value ->> 'amount', value ->> 'currency',
    value ->> 'authorisationId', value ->> 'detail',
    value ->> 'authorisedAt', value ->> 'declinedAt', value ->> 'voidedAt'
  FROM json_each(${changes}) WHERE true
  ON CONFLICT (order_id) DO UPDATE SET
    status = excluded.status,
    amount = coalesce(excluded.amount, amount),
    currency = coalesce(excluded.currency, currency),
    authorisation_id = coalesce(excluded.authorisation_id, authorisation_id),
    detail = coalesce(excluded.detail, detail),
    authorised_at = coalesce(excluded.authorised_at, authorised_at),
    declined_at = coalesce(excluded.declined_at, declined_at),
    voided_at = coalesce(excluded.voided_at, voided_at)`;

const changeOf = ({ type, data, time }: RecordedEvent<PaymentEvent>): Change | undefined => {
  const { orderId } = data;
  switch (type) {
    case "PaymentAuthorised": {
      const { amount, authorisationId } = data;
      return { orderId, status: "authorised", ...amount, authorisationId, authorisedAt: time };
    }
    case "PaymentDeclined": {
      const { amount, detail } = data;
      return { orderId, status: "declined", ...amount, detail, declinedAt: time };
    }
    case "PaymentVoided":
      return { orderId, status: "voided", voidedAt: time };
    default:
      return undefined;
  }
};

export const paymentsProjection: Projection = {
  name: "payments",
  statements(commits) {
    const changes = new Map<string, Change>();
    const events = commits.flatMap(({ events }) => events) as readonly RecordedEvent<PaymentEvent>[];
    for (const event of events) {
      const change = changeOf(event);
      if (change) changes.set(change.orderId, { ...changes.get(change.orderId), ...change });
    }
    return jsonRows(changes.values()).map(upsertChanges);
  },
};
