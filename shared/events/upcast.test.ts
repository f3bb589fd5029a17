import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { LogUnavailable } from "./event-log.ts";
import { event } from "./event-types.ts";
import { upcast } from "./upcast.ts";

const placed = event({ orderId: z.string(), customer: z.string() })
  .next(
    (v1) => ({ ...v1, channel: z.enum(["web", "shop"]) }),
    (v1) => ({ ...v1, channel: "web" }),
  )
  .next(
    ({ customer, ...others }) => ({ ...others, customerId: customer }),
    ({ customer, ...others }) => ({ ...others, customerId: customer }),
  );

const written = (data: object, eventVersion?: number) => ({
  type: "OrderPlaced",
  data,
  ...(eventVersion !== undefined && { eventVersion }),
});

describe("an event of an old version", () => {
  it("goes through every version between, and is marked with the newest", () => {
    const newest = written({ orderId: "o1", channel: "web", customerId: "ada" }, 3);
    expect(upcast(placed, written({ orderId: "o1", customer: "ada" }))).toEqual(newest);
    expect(upcast(placed, written({ orderId: "o1", customer: "ada" }, 1))).toEqual(newest);
    expect(upcast(placed, written({ orderId: "o1", customer: "ada", channel: "shop" }, 2)).data).toEqual({
      orderId: "o1",
      channel: "shop",
      customerId: "ada",
    });
  });

  it("comes to what the newest schema takes, whatever the first one took", () => {
    const first = fc.record({ orderId: fc.string(), customer: fc.string() });
    fc.assert(
      fc.property(first, (data) => {
        const { schema } = placed.versions[2] ?? { schema: z.never() };
        expect(schema.safeParse(upcast(placed, written(data)).data).success).toBe(true);
      }),
    );
  });

  it("stays as it was written: whoever else holds it sees the old form", () => {
    const stored = Object.freeze(written(Object.freeze({ orderId: "o1", customer: "ada" })));
    upcast(placed, stored);
    expect(stored).toEqual(written({ orderId: "o1", customer: "ada" }));
  });

  it("keeps all else that is known of it", () => {
    const recorded = { ...written({ orderId: "o1", customer: "ada" }), id: "c/0", time: "t", version: 7 };
    expect(upcast(placed, recorded)).toMatchObject({ id: "c/0", time: "t", version: 7, eventVersion: 3 });
  });
});

it("an event of the newest version is handed on as the same object", () => {
  const newest = written({ orderId: "o1", channel: "web", customerId: "ada" }, 3);
  expect(upcast(placed, newest)).toBe(newest);
  const only = written({ n: 1 });
  expect(upcast(event({ n: z.int() }), only)).toBe(only);
});

it.each([4, 0, -1, 1.5, Number.NaN, "2" as unknown as number])(
  "an event of version %s is not read by who knows three",
  (version) => {
    const reading = () => upcast(placed, written({ orderId: "o1" }, version));
    expect(reading).toThrow(LogUnavailable);
    expect(reading).toThrow(
      `Cannot read an event "OrderPlaced" of version "${version}": expected 1 to 3; its writer is newer than its reader`,
    );
  },
);

it("an upcaster that fails is a defect, told with the step that it failed in", () => {
  const fails = event({ n: z.int() }).next(
    (v1) => v1,
    () => {
      throw new Error("no");
    },
  );
  const reading = () => upcast(fails, written({ n: 1 }));
  expect(reading).toThrow('Cannot bring "OrderPlaced" from version 1 to 2');
  expect(reading).not.toThrow(LogUnavailable);
});
