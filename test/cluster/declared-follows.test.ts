/** Holds that the logs which services are allowed to follow are those that their processes do follow. */
import { expect, test } from "vitest";
import { LOG_SERVICES } from "#nats/streams.ts";
import type { Commands } from "#shared/cqrs/commands.ts";
import type { Process } from "#shared/cqrs/process.ts";
import { reserveStock } from "#workers/inventory/processes/reserve-stock.ts";
import { followPayment } from "#workers/orders/processes/follow-payment.ts";
import { followStock } from "#workers/orders/processes/follow-stock.ts";
import { collectPayment } from "#workers/payments/processes/collect-payment.ts";
import type { PaymentProvider } from "#workers/payments/provider.ts";

const commands = {} as Commands;

const PROCESSES: Readonly<Record<string, readonly Process[]>> = {
  orders: [followStock(commands), followPayment(commands)],
  inventory: [reserveStock(commands)],
  payments: [collectPayment(commands, {} as PaymentProvider)],
};

test.each(LOG_SERVICES)("$service follows $follows and no others", ({ service, follows }) => {
  const sources = new Set(PROCESSES[service]?.map(({ source }) => source));
  expect([...sources].sort()).toEqual([...follows].sort());
});
