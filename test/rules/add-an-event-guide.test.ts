/** Holds the code of docs/guides/add-an-event.md: it stands here word for word, is compiled, and does what the guide says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import * as z from "zod";
import { ROOT } from "#cli/workers.ts";
import { idField } from "#shared/events/event-fields.ts";
import { eventSchemas } from "#shared/events/event-schemas.ts";
import { type EventOf, type EventTypes, event } from "#shared/events/event-types.ts";
import { upcast } from "#shared/events/upcast.ts";

const ORDERS_EVENTS = {
  OrderPlaced: event({ orderId: idField, customerId: idField }),
  OrderShipped: event({ orderId: idField, parcel: z.string() }),
} as const satisfies EventTypes;

type OrderEvent = EventOf<typeof ORDERS_EVENTS>;

const WITH_CHANNEL = {
  ...ORDERS_EVENTS,
  OrderPlaced: ORDERS_EVENTS.OrderPlaced.next(
    (v1) => ({ ...v1, channel: z.enum(["web", "shop"]) }),
    (v1) => ({ ...v1, channel: "web" }),
  ),
};

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

test("every piece of the guide's code stands in this file", () => {
  const guide = readFileSync(join(ROOT, "docs/guides/add-an-event.md"), "utf8");
  const pieces = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) =>
    linesOf(code).join("\n"),
  );
  const own = linesOf(readFileSync(import.meta.filename, "utf8")).join("\n");
  expect(pieces.length).toBe(3);
  expect(pieces.filter((piece) => !own.includes(piece))).toEqual([]);
});

describe("a field that comes to an event", () => {
  it("is there in events of before, too", () => {
    const before = { type: "OrderPlaced", data: { orderId: "o1", customerId: "ada" } };
    expect(upcast(WITH_CHANNEL.OrderPlaced, before).data).toEqual({ ...before.data, channel: "web" });
  });

  it("has to be said by whoever writes the event", () => {
    const before: OrderEvent = { type: "OrderPlaced", data: { orderId: "o1", customerId: "ada" } };
    // @ts-expect-error: the compiler shows the place
    const written: EventOf<typeof WITH_CHANNEL> = before;
    const [, newest] = WITH_CHANNEL.OrderPlaced.versions;
    expect(newest?.schema.safeParse(written.data).success).toBe(false);
  });

  it("leaves what was published as it was", () => {
    const published = eventSchemas("orders", ORDERS_EVENTS);
    expect(eventSchemas("orders", WITH_CHANNEL)).toEqual(expect.arrayContaining(published));
  });
});
