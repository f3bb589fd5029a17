import { describe, expect, it } from "vitest";
import * as z from "zod";
import { brokenPromises, eventSchemas } from "./event-schemas.ts";
import { event } from "./event-types.ts";

const placed = event({ orderId: z.string() });
const schemasOf = (types: Parameters<typeof eventSchemas>[1]) => eventSchemas("orders", types);

describe("the schemas of a service's events", () => {
  it("are those of every version, as JSON Schema that refuses what is not known", () =>
    expect(
      schemasOf({
        OrderPlaced: placed.next(
          (v1) => ({ ...v1, channel: z.enum(["web", "shop"]) }),
          (v1) => ({ ...v1, channel: "web" }),
        ),
      }),
    ).toEqual([
      {
        type: "orders.OrderPlaced",
        version: 1,
        schema: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          properties: { orderId: { type: "string" } },
          required: ["orderId"],
          additionalProperties: false,
        },
      },
      {
        type: "orders.OrderPlaced",
        version: 2,
        schema: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          properties: { orderId: { type: "string" }, channel: { type: "string", enum: ["web", "shop"] } },
          required: ["orderId", "channel"],
          additionalProperties: false,
        },
      },
    ]));

  it.each([
    ["a default", z.string().default("web")],
    ["a transformation", z.string().transform(Number)],
    ["what is no JSON", z.date()],
    ["an object that drops what it does not know", z.object({ a: z.string() })],
  ])("are refused with %s: what is read would be another thing than what stands in the log", (_, field) =>
    expect(() => schemasOf({ OrderPlaced: event({ field }) })).toThrow(
      'Cannot publish version 1 of "orders.OrderPlaced"',
    ),
  );
});

describe("what was published", () => {
  const published = schemasOf({ OrderPlaced: placed });

  it("stays when a version or a type comes to it", () => {
    const more = {
      OrderPlaced: placed.next(
        () => ({ id: z.string() }),
        ({ orderId }) => ({ id: orderId }),
      ),
      OrderEnded: event({ orderId: z.string() }),
    };
    expect(brokenPromises(published, schemasOf(more))).toEqual([]);
  });

  it.each([
    ["a field more", { orderId: z.string(), note: z.string() }],
    ["an optional field more", { orderId: z.string(), note: z.string().optional() }],
    ["a field that is called as a keyword", { orderId: z.string(), description: z.string().optional() }],
    ["a tighter field", { orderId: z.string().max(64) }],
    ["a field of another type", { orderId: z.int() }],
    ["a field less", {}],
  ])("is broken by %s", (_, shape) =>
    expect(brokenPromises(published, schemasOf({ OrderPlaced: event(shape) }))).toEqual([
      'version 1 of "orders.OrderPlaced" takes other data',
    ]),
  );

  it("is broken by a type that is gone", () =>
    expect(brokenPromises(published, [])).toEqual(['version 1 of "orders.OrderPlaced" is gone']));

  it("may be described in other words", () => {
    const described = { orderId: z.string().meta({ description: "A UUID", examples: ["x"] }) };
    expect(brokenPromises(published, schemasOf({ OrderPlaced: event(described) }))).toEqual([]);
  });
});
