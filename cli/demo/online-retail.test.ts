import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AGGREGATE_ID } from "#shared/events/event.ts";
import { LIMITS } from "#shared/limits.ts";
import { ODDITIES, type Oddity, oddityTally } from "./oddities.ts";
import { type Invoice, invoices, LINE_QUANTITY_MAX, surveyProducts } from "./online-retail.ts";
import { GUEST, replaySteps } from "./replay-steps.ts";
import type { RetailRow } from "./retail-rows.ts";

const row = (changes: Partial<RetailRow> = {}): RetailRow => ({
  line: 2,
  invoice: "1",
  stockCode: "A",
  description: "Thing",
  quantity: "1",
  price: "1.00",
  customer: "9",
  ...changes,
});

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const collected = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};

const play = async (rows: RetailRow[]) => {
  const tally = oddityTally();
  const read: Invoice[] = await collected(invoices(stream(rows), tally));
  const survey = await surveyProducts(stream(read));
  const steps = await collected(replaySteps(stream(read), survey.products, tally));
  const oddities: Partial<Record<Oddity, number>> = {};
  for (const { oddity, count } of tally.counts()) oddities[oddity] = count;
  return { ...survey, steps, oddities };
};

describe("sales of a retail file", () => {
  it("become one order per invoice, in file order, without anything odd", async () => {
    const { steps, oddities } = await play([
      row({ invoice: "1", stockCode: "A", quantity: "6" }),
      row({ invoice: "1", stockCode: "K", quantity: "2" }),
      row({ invoice: "2", customer: "8" }),
    ]);
    expect(steps).toEqual([
      {
        kind: "sale",
        index: 0,
        invoice: "1",
        customerId: "9",
        orders: [
          [
            { sku: "A", quantity: 6 },
            { sku: "K", quantity: 2 },
          ],
        ],
      },
      { kind: "sale", index: 1, invoice: "2", customerId: "8", orders: [[{ sku: "A", quantity: 1 }]] },
    ]);
    expect(oddities).toEqual({});
  });

  const odd: [string, Oddity, Partial<RetailRow>][] = [
    ["no InvoiceNo", "missing_invoice", { invoice: "" }],
    ["no StockCode", "missing_stock_code", { stockCode: "" }],
    ["a Quantity in words", "unreadable_quantity", { quantity: "six" }],
    ["a Quantity with a fraction", "unreadable_quantity", { quantity: "1.5" }],
    ["a negative Quantity", "negative_quantity", { quantity: "-10", price: "0" }],
    ["a Quantity beyond all stock", "excessive_quantity", { quantity: String(LINE_QUANTITY_MAX + 1) }],
    ["no UnitPrice", "unreadable_price", { price: "" }],
    ["a UnitPrice of zero", "zero_price", { price: "0.00" }],
    ["a UnitPrice below half a penny", "zero_price", { price: "0.001" }],
    ["a negative UnitPrice", "negative_price", { price: "-11062.06" }],
  ];
  it.each(odd)("leave out and count a line with %s", async (_, oddity, changes) => {
    const { steps, oddities } = await play([row({ stockCode: "K" }), row(changes)]);
    expect(steps).toMatchObject([{ orders: [[{ sku: "K", quantity: 1 }]] }]);
    expect(oddities).toEqual({ [oddity]: 1 });
  });

  const kept: [string, Oddity, Partial<RetailRow>, string][] = [
    ["postage", "charge", { stockCode: "POST" }, "POST"],
    ["a StockCode with a dot", "escaped_stock_code", { stockCode: "K.1" }, "K_2e1"],
    ["a StockCode in other letters", "differing_case", { stockCode: "a" }, "a"],
    ["a price in thousandths", "fraction_of_penny", { stockCode: "K", price: "0.125" }, "K"],
  ];
  it.each(kept)("order and count a line of %s", async (_, oddity, changes, sku) => {
    const { steps, oddities } = await play([row(), row(changes)]);
    expect(steps).toMatchObject([{ orders: [[{ sku: "A" }, { sku }]] }]);
    expect(oddities).toEqual({ [oddity]: 1 });
  });

  it("are nobody's order when nothing in them is sold", async () => {
    const { steps, oddities } = await play([row({ price: "0", customer: "" })]);
    expect(steps).toEqual([]);
    expect(oddities).toEqual({ zero_price: 1, nothing_sold: 1 });
  });

  it("belong to the guest without a CustomerID, to the first of several", async () => {
    const { steps, oddities } = await play([
      row({ customer: "" }),
      row({ invoice: "2", customer: "7" }),
      row({ invoice: "2", stockCode: "K", customer: "6" }),
      row({ invoice: "3", customer: "17850.0" }),
    ]);
    expect(steps.map((step) => "customerId" in step && step.customerId)).toEqual([GUEST, "7", "17850"]);
    expect(oddities).toEqual({ missing_customer: 1, several_customers: 1 });
  });

  it("add up the lines of one StockCode", async () => {
    const { steps, oddities } = await play([row({ quantity: "2" }), row({ quantity: "3" })]);
    expect(steps).toMatchObject([{ orders: [[{ sku: "A", quantity: 5 }]] }]);
    expect(oddities).toEqual({ merged_line: 1 });
  });

  it("add them up no further than a line of an order may have", async () => {
    const { steps, oddities } = await play([row({ quantity: String(LINE_QUANTITY_MAX) }), row({ line: 3 })]);
    expect(steps).toMatchObject([{ orders: [[{ sku: "A", quantity: LINE_QUANTITY_MAX }]] }]);
    expect(oddities).toEqual({ excessive_quantity: 1 });
  });

  it("are placed in parts when they have more lines than an order may", async () => {
    const rows = Array.from({ length: LIMITS.orderLines + 1 }, (_, at) => row({ stockCode: `S${at}` }));
    const { steps, oddities } = await play(rows);
    expect(steps.map((step) => step.kind === "sale" && step.orders.map((lines) => lines.length))).toEqual([
      [LIMITS.orderLines, 1],
    ]);
    expect(oddities).toEqual({ split_invoice: 1 });
  });

  it("go on as another order when their invoice is resumed later", async () => {
    const { steps, oddities } = await play([row(), row({ invoice: "2" }), row({ stockCode: "K" })]);
    expect(steps.map(({ index, invoice }) => [index, invoice])).toEqual([
      [0, "1"],
      [1, "2"],
      [2, "1"],
    ]);
    expect(oddities).toEqual({ resumed_invoice: 1 });
  });
});

describe("the survey of a retail file", () => {
  it("finds each product's name, total and most frequent price, of equals the first", async () => {
    const { products, invoices: count } = await play([
      row({ description: "", price: "2.55", quantity: "3" }),
      row({ invoice: "2", price: "2.95", quantity: "4" }),
      row({ invoice: "3", price: "2.95" }),
      row({ invoice: "4", stockCode: "K", description: "", price: "1.10" }),
      row({ invoice: "5", stockCode: "K", description: "", price: "1.20" }),
      row({ invoice: "C6", stockCode: "Z", quantity: "-1" }),
    ]);
    expect(count).toBe(6);
    expect([...products.values()]).toEqual([
      { sku: "A", name: "Thing", amount: 295, quantity: 8 },
      { sku: "K", name: "K", amount: 110, quantity: 2 },
    ]);
  });

  it("counts the lines whose price is not that one", async () => {
    const prices = ["2.55", "2.95", "2.95"];
    const { oddities } = await play(prices.map((price, at) => row({ invoice: String(at), price })));
    expect(oddities).toEqual({ differing_price: 1 });
  });

  it.each([
    ["2.55", 255],
    ["8", 800],
    ["0.295", 30],
    ["0.294", 29],
    ["13541.33", 1354133],
    ["1.1", 110],
  ])("reads %s as %i pence", async (price, amount) => {
    expect((await play([row({ price })])).products.get("A")?.amount).toBe(amount);
  });
});

describe("cancellations of a retail file", () => {
  const sale = [row({ quantity: "6" }), row({ stockCode: "K", quantity: "2" })];
  const back = (quantity: string, changes: Partial<RetailRow> = {}) =>
    row({ invoice: "C2", quantity, ...changes });
  const kindsOf = async (rows: RetailRow[]) => (await play(rows)).steps.map((step) => step.kind);

  it("of a whole earlier sale of the same customer cancel it", async () => {
    const { steps } = await play([...sale, back("-6"), back("-2", { stockCode: "K" })]);
    expect(steps[1]).toEqual({
      kind: "cancellation",
      index: 1,
      invoice: "C2",
      customerId: "9",
      saleIndex: 0,
    });
  });

  it("of a part of it are returns, as often as something is left", async () => {
    expect(
      await kindsOf([...sale, back("-4"), back("-2", { invoice: "C3" }), back("-1", { invoice: "C4" })]),
    ).toEqual(["sale", "return", "return", "unmatched"]);
  });

  it("of the rest after a return do not cancel the whole", async () => {
    const rest = { invoice: "C3" };
    expect(await kindsOf([row({ quantity: "6" }), back("-4"), back("-2", rest)])).toEqual([
      "sale",
      "return",
      "return",
    ]);
  });

  it("mean the latest sale that fits", async () => {
    const { steps } = await play([
      row(),
      row({ invoice: "5" }),
      row({ invoice: "6", stockCode: "K" }),
      back("-1"),
    ]);
    expect(steps[3]).toMatchObject({ kind: "cancellation", saleIndex: 1 });
  });

  it.each<[string, Partial<RetailRow>]>([
    ["another customer", { customer: "8" }],
    ["no customer", { customer: "" }],
    ["another product", { stockCode: "Z" }],
    ["more pieces", { quantity: "-7" }],
  ])("of %s match nothing", async (_, changes) => {
    expect(await kindsOf([...sale, back("-6", changes)])).toEqual(["sale", "unmatched"]);
  });

  it("between guests match nothing", async () => {
    expect(await kindsOf([row({ customer: "" }), back("-1", { customer: "" })])).toEqual([
      "sale",
      "unmatched",
    ]);
  });

  it("of a positive quantity take nothing back", async () => {
    const { steps, oddities } = await play([...sale, back("6")]);
    expect(steps[1]).toMatchObject({ kind: "unmatched" });
    expect(oddities).toEqual({ positive_in_cancellation: 1 });
  });
});

it("any rows become orders that the shop's rules allow, and every invoice is accounted for", async () => {
  const cell = (...usual: string[]) =>
    fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...usual) }, fc.string({ unit: "grapheme" }));
  const anyRow = fc.record({
    line: fc.nat(),
    invoice: cell("1", "2", "C1", "c2", "A3", ""),
    stockCode: cell("A", "a", "K", "POST", "M", "BANK CHARGES", ""),
    description: cell("x", ""),
    quantity: cell("1", "6", "-1", "0", "1.5", "-99999999999999", "999999999999999"),
    price: cell("1", "2.55", "0", "-1", "0.001", "1e9", "9999999999.99"),
    customer: cell("9", "8", "17850.0", ""),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 40 }), async (rows) => {
      const { steps, products, oddities, invoices: count, playable } = await play(rows);
      expect(steps.length).toBe(playable);
      expect(steps.length + (oddities.nothing_sold ?? 0)).toBe(count);
      for (const product of products.values()) {
        expect(product.sku).toMatch(AGGREGATE_ID);
        expect(Number.isSafeInteger(product.amount) && product.amount > 0).toBe(true);
      }
      for (const step of steps) {
        if (step.kind !== "sale") continue;
        expect(step.customerId).toMatch(AGGREGATE_ID);
        for (const { sku, quantity } of step.orders.flat()) {
          expect(products.get(sku)?.quantity).toBeGreaterThanOrEqual(quantity);
          expect(Number.isSafeInteger(quantity) && quantity > 0).toBe(true);
        }
      }
      for (const oddity of Object.keys(oddities)) expect(ODDITIES).toHaveProperty(oddity);
    }),
  );
});
