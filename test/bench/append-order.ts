/** Appends an order to its log as a command Actor does. */
import type { EventLog } from "#shared/events/event-log.ts";
import { withTrace } from "#shared/telemetry/propagation.ts";
import { placedOrder } from "./placed-order.ts";

/** As in a worker under load: each request has a trace, and nearly none is recorded. */
const UNSAMPLED = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00" };

/** Under a new id. @throws Error when it is refused */
export const appendOrder = async (log: EventLog): Promise<void> => {
  const appended = await withTrace(UNSAMPLED, () => log.append(placedOrder(crypto.randomUUID())));
  if (!appended.ok) throw new Error(`Appending: refused as "${appended.error.code}", expected a position`);
};
