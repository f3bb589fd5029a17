/** Holds what services publish of their events to what they published before: a version never changes once others may read it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "#cli/workers.ts";
import { brokenPromises, type EventSchema, eventSchemas } from "#shared/events/event-schemas.ts";
import { INVENTORY, INVENTORY_EVENTS } from "./inventory/contract.ts";
import { ORDERS, ORDERS_EVENTS } from "./orders/contract.ts";
import { PAYMENTS, PAYMENTS_EVENTS } from "./payments/contract.ts";

const SERVICES = [
  { ...ORDERS, events: ORDERS_EVENTS },
  { ...INVENTORY, events: INVENTORY_EVENTS },
  { ...PAYMENTS, events: PAYMENTS_EVENTS },
];

const UPDATE = process.env.UPDATE === "1";

test.each(SERVICES)("$service takes every event as it was published", ({ service, events }) => {
  const file = join(ROOT, "workers", service, "events.json");
  const published: EventSchema[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const declared = eventSchemas(service, events);
  expect(
    brokenPromises(published, declared),
    `Published are the schemas in ${file}. Declare a next version instead of changing one; take out by hand what nobody has seen yet`,
  ).toEqual([]);
  if (UPDATE) writeFileSync(file, `${JSON.stringify(declared, null, 2)}\n`);
  else expect(declared, `Expected as ${file} has it; UPDATE=1 publishes what is new`).toEqual(published);
});
