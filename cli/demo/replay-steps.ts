/** Invoices in file order as steps of a replay: which orders to place, and which earlier sale a cancellation means. */
import type { OddityTally } from "./oddities.ts";
import { type Invoice, type OrderLine, ordersOf, type RetailProduct } from "./online-retail.ts";

export const GUEST = "guest";

export type ReplayStep =
  /** `index` is the invoice's place in the file, from 0: with the number it names the sale even when the number comes twice. */
  | { kind: "sale"; index: number; invoice: string; customerId: string; orders: OrderLine[][] }
  /** Takes back everything of the sale at `saleIndex`. */
  | { kind: "cancellation"; index: number; invoice: string; customerId: string; saleIndex: number }
  /** Takes back a part of an earlier sale, for which the API has no request. */
  | { kind: "return"; index: number; invoice: string }
  /** No earlier sale of that customer holds what it takes back. */
  | { kind: "unmatched"; index: number; invoice: string };

/** What is left of an earlier sale after the returns from it. */
type EarlierSale = { index: number; whole: boolean; left: Map<string, number> };

/**
 * A cancellation means the customer's latest earlier sale that still holds all its skus and quantities. Guests are not one
 * customer, so theirs match nothing. Sales of which nothing can be placed yield no step.
 */
export async function* replaySteps(
  source: AsyncIterable<Invoice>,
  products: ReadonlyMap<string, RetailProduct>,
  tally: OddityTally,
): AsyncGenerator<ReplayStep> {
  const salesOf = new Map<string, EarlierSale[]>();
  let index = -1;
  for await (const invoice of source) {
    index += 1;
    if (invoice.kind === "cancellation") {
      yield takeBack(invoice, index, salesOf.get(invoice.customerId ?? "") ?? []);
      continue;
    }
    if (invoice.lines.length === 0) continue;
    const orders = ordersOf(invoice, products, tally);
    if (invoice.customerId !== undefined) {
      const sales = salesOf.get(invoice.customerId) ?? [];
      sales.push({ index, whole: true, left: quantities(orders.flat()) });
      salesOf.set(invoice.customerId, sales);
    }
    yield {
      kind: "sale",
      index,
      invoice: invoice.number,
      customerId: invoice.customerId ?? GUEST,
      orders,
    };
  }
}

const takeBack = (invoice: Invoice, index: number, sales: EarlierSale[]): ReplayStep => {
  const wanted = quantities(invoice.lines);
  const named = { index, invoice: invoice.number };
  const sale = sales.findLast(({ left }) =>
    [...wanted].every(([sku, quantity]) => (left.get(sku) ?? 0) >= quantity),
  );
  if (!sale || wanted.size === 0 || invoice.customerId === undefined) return { kind: "unmatched", ...named };
  const everything = sale.whole && [...sale.left].every(([sku, quantity]) => wanted.get(sku) === quantity);
  for (const [sku, quantity] of wanted) sale.left.set(sku, (sale.left.get(sku) ?? 0) - quantity);
  sale.whole = false;
  if (!everything) return { kind: "return", ...named };
  return { kind: "cancellation", ...named, customerId: invoice.customerId, saleIndex: sale.index };
};

const quantities = (lines: readonly OrderLine[]): Map<string, number> => {
  const bySku = new Map<string, number>();
  for (const { sku, quantity } of lines) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity);
  return bySku;
};
