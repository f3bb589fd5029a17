/** From rows of the UCI Online Retail format to what a replay does: a catalogue, then sales and cancellations in order. */
import { LIMITS } from "#shared/limits.ts";
import type { OddityTally } from "./oddities.ts";
import type { RetailRow } from "./retail-rows.ts";
import { idFromCode } from "./stock-code.ts";

export type OrderLine = { sku: string; quantity: number };

/** Lines of one InvoiceNo that follow each other in the file, reduced to what can be sold or taken back. */
export type Invoice = {
  number: string;
  kind: "sale" | "cancellation";
  /** Undefined when the file names none. */
  customerId: string | undefined;
  lines: InvoiceLine[];
};

/** `quantity` is positive in a cancellation too; `amount` is minor units of GBP, the file's currency. */
export type InvoiceLine = OrderLine & { stockCode: string; description: string; amount: number };

/** One product as a replay puts it: the most frequent price, and all that the file's sales take of it. */
export type RetailProduct = { sku: string; name: string; amount: number; quantity: number };

/** The most pieces that a line of an order may have; the data set's largest line has 80,995. */
export const LINE_QUANTITY_MAX = 1_000_000;
const PRODUCT_NAME_MAX = 200;
/** StockCodes of the data set that stand for money, not for things. */
const CHARGES = new Set(["POST", "DOT", "C2", "M", "D", "S", "B", "CRUK", "BANK CHARGES", "AMAZONFEE"]);

/** Groups rows into invoices; what no order can hold is noted and left out. Needs memory for the InvoiceNos only. */
export async function* invoices(rows: AsyncIterable<RetailRow>, tally: OddityTally): AsyncGenerator<Invoice> {
  const finished = new Set<string>();
  const readLine = lineReader(tally);
  let group: RetailRow[] = [];
  const close = (): Invoice | undefined => {
    const number = group[0]?.invoice;
    if (number === undefined) return undefined;
    if (finished.has(number)) tally.note("resumed_invoice", `invoice "${number}"`);
    finished.add(number);
    return invoiceOf(number, group, readLine, tally);
  };
  for await (const row of rows) {
    if (row.invoice === "") {
      tally.note("missing_invoice", `line ${row.line}: "${row.stockCode}"`);
      continue;
    }
    if (group[0] && group[0].invoice !== row.invoice) {
      const invoice = close();
      if (invoice) yield invoice;
      group = [];
    }
    group.push(row);
  }
  const last = close();
  if (last) yield last;
}

type LineReader = (row: RetailRow, kind: Invoice["kind"]) => InvoiceLine | undefined;

const invoiceOf = (number: string, rows: RetailRow[], readLine: LineReader, tally: OddityTally): Invoice => {
  const kind = /^c/i.test(number) ? "cancellation" : "sale";
  const customers = new Set(rows.map((row) => row.customer).filter((customer) => customer !== ""));
  const [customer] = customers;
  if (customers.size > 1)
    tally.note("several_customers", `invoice "${number}": ${[...customers].join(", ")}`);
  const lines = rows.map((row) => readLine(row, kind)).filter((line) => line !== undefined);
  if (kind === "sale" && lines.length === 0)
    tally.note("nothing_sold", `invoice "${number}" of ${rows.length} lines`);
  else if (customer === undefined) tally.note("missing_customer", `invoice "${number}"`);
  // Spreadsheets turn the column into floating point when some of its cells are empty.
  const customerId = customer === undefined ? undefined : idFromCode(customer.replace(/\.0$/, ""));
  return { number, kind, customerId, lines };
};

const lineReader = (tally: OddityTally): LineReader => {
  const spellings = new Map<string, Set<string>>();
  const noteSpelling = (code: string) => {
    const known = spellings.get(code.toUpperCase()) ?? new Set();
    if (known.size > 0 && !known.has(code))
      tally.note("differing_case", `"${code}" beside "${[...known].join('", "')}"`);
    spellings.set(code.toUpperCase(), known.add(code));
  };
  return (row, kind) => {
    const where = `line ${row.line}, invoice "${row.invoice}", "${row.stockCode}"`;
    const { stockCode, description } = row;
    if (stockCode === "") return void tally.note("missing_stock_code", where);
    const quantity = readQuantity(row, kind, where, tally);
    if (quantity === undefined) return undefined;
    const amount = readAmount(row, kind, where, tally);
    if (amount === undefined) return undefined;
    const sku = idFromCode(stockCode);
    if (sku !== stockCode) tally.note("escaped_stock_code", `${where}: "${sku}"`);
    if (CHARGES.has(stockCode.toUpperCase())) tally.note("charge", where);
    noteSpelling(stockCode);
    return { sku, quantity, stockCode, description, amount };
  };
};

const readQuantity = (
  row: RetailRow,
  kind: Invoice["kind"],
  where: string,
  tally: OddityTally,
): number | undefined => {
  if (!/^[+-]?\d{1,15}$/.test(row.quantity))
    return void tally.note("unreadable_quantity", `${where}: "${row.quantity}"`);
  const quantity = kind === "sale" ? Number(row.quantity) : -Number(row.quantity);
  if (quantity <= 0)
    return void tally.note(
      kind === "sale" ? "negative_quantity" : "positive_in_cancellation",
      `${where}: ${row.quantity}`,
    );
  if (quantity > LINE_QUANTITY_MAX) return void tally.note("excessive_quantity", `${where}: ${row.quantity}`);
  return quantity;
};

/** Minor units. A cancellation's price decides nothing, so it is not judged. */
const readAmount = (
  row: RetailRow,
  kind: Invoice["kind"],
  where: string,
  tally: OddityTally,
): number | undefined => {
  const found = /^([+-]?)(\d{1,10})(?:\.(\d{0,12}))?$/.exec(row.price);
  if (!found) {
    tally.note("unreadable_price", `${where}: "${row.price}"`);
    return kind === "cancellation" ? 0 : undefined;
  }
  const [, sign, whole = "0", fraction = ""] = found;
  const amount = Math.round(Number(`${whole}${fraction.slice(0, 2).padEnd(2, "0")}.${fraction.slice(2)}`));
  if (kind === "cancellation") return amount;
  if (amount === 0) return void tally.note("zero_price", `${where}: ${row.price}`);
  if (sign === "-") return void tally.note("negative_price", `${where}: ${row.price}`);
  if (/[1-9]/.test(fraction.slice(2))) tally.note("fraction_of_penny", `${where}: ${row.price}`);
  return amount;
};

export type Survey = {
  products: Map<string, RetailProduct>;
  invoices: number;
  /** Invoices that ask for something: all but the sales of which nothing can be ordered. */
  playable: number;
};

/**
 * Everything that the sales need before the first is placed, by sku. One product has one price at a time and orders may
 * quote a price that is up to a second old, so each gets its most frequent price (of equals, the first) once.
 */
export const surveyProducts = async (source: AsyncIterable<Invoice>): Promise<Survey> => {
  const prices = new Map<string, Map<number, number>>();
  const products = new Map<string, RetailProduct>();
  let count = 0;
  let playable = 0;
  for await (const invoice of source) {
    count += 1;
    if (invoice.kind === "cancellation" || invoice.lines.length > 0) playable += 1;
    if (invoice.kind === "cancellation") continue;
    for (const line of invoice.lines) {
      const product = products.get(line.sku) ?? { sku: line.sku, name: "", amount: 0, quantity: 0 };
      product.name ||= line.description.slice(0, PRODUCT_NAME_MAX);
      product.quantity += line.quantity;
      products.set(line.sku, product);
      const tally = prices.get(line.sku) ?? new Map<number, number>();
      prices.set(line.sku, tally.set(line.amount, (tally.get(line.amount) ?? 0) + 1));
    }
  }
  for (const product of products.values()) {
    product.name ||= product.sku;
    product.amount = mostFrequent(prices.get(product.sku) ?? new Map());
  }
  return { products, invoices: count, playable };
};

const mostFrequent = (tally: ReadonlyMap<number, number>): number => {
  let best = { amount: 0, count: 0 };
  for (const [amount, count] of tally) if (count > best.count) best = { amount, count };
  return best.amount;
};

/** A sale's lines as orders: one line per sku, at most {@link LIMITS.orderLines} lines each. */
export const ordersOf = (
  invoice: Invoice,
  products: ReadonlyMap<string, RetailProduct>,
  tally: OddityTally,
): OrderLine[][] => {
  const merged = new Map<string, number>();
  for (const { sku, quantity, stockCode, amount } of invoice.lines) {
    const before = merged.get(sku);
    const where = `invoice "${invoice.number}", "${stockCode}"`;
    if ((before ?? 0) + quantity > LINE_QUANTITY_MAX) {
      tally.note("excessive_quantity", `${where}: ${quantity} beside ${before}`);
      continue;
    }
    if (before !== undefined) tally.note("merged_line", where);
    const usual = products.get(sku)?.amount;
    if (usual !== amount) tally.note("differing_price", `${where}: ${amount} instead of ${usual} pence`);
    merged.set(sku, (before ?? 0) + quantity);
  }
  const lines = [...merged].map(([sku, quantity]) => ({ sku, quantity }));
  const parts: OrderLine[][] = [];
  for (let at = 0; at < lines.length; at += LIMITS.orderLines)
    parts.push(lines.slice(at, at + LIMITS.orderLines));
  if (parts.length > 1)
    tally.note(
      "split_invoice",
      `invoice "${invoice.number}": ${lines.length} lines in ${parts.length} parts`,
    );
  return parts;
};
