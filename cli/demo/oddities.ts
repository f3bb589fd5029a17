/** What a retail file may hold that an order cannot, and the tally of it: each oddity with a count and an example. */

/** Every oddity with what was done about it; the report walks this table. */
export const ODDITIES = {
  unreadable_row: "rows without exactly eight columns or with an unclosed quote: left out",
  missing_invoice: "rows without an InvoiceNo: left out",
  missing_stock_code: "lines without a StockCode: left out",
  unreadable_quantity: "lines whose Quantity is no whole number: left out",
  unreadable_price: "lines whose UnitPrice is no decimal number: left out",
  negative_quantity: "lines of a sale with a Quantity of 0 or less (stock corrections): left out",
  positive_in_cancellation: "lines of a cancellation with a Quantity of 0 or more: left out",
  excessive_quantity: "lines of more pieces than one order line may have: left out",
  zero_price: "lines of a sale at no price (stock corrections, gifts): left out",
  negative_price: "lines of a sale with a negative UnitPrice (adjustments): left out",
  nothing_sold: "invoices with no line that sells anything: not placed",
  missing_customer: 'invoices without a CustomerID: placed for "guest"',
  several_customers: "invoices with more than one CustomerID: placed for the first",
  resumed_invoice: "invoices that go on after another began: each piece is an order",
  split_invoice: "invoices with more lines than an order may have: placed in parts",
  merged_line: "further lines of a StockCode in the same invoice: quantities added up",
  differing_price: "lines whose UnitPrice is not the StockCode's most frequent one: ordered at that one",
  fraction_of_penny: "lines whose UnitPrice has fractions of a penny: rounded",
  charge: "lines that are charges, not goods (postage, bank charges, manual): ordered like goods",
  escaped_stock_code: "lines whose StockCode is not a valid sku: escaped",
  differing_case: "StockCodes that differ from an earlier one in letter case only: kept apart",
} as const;

export type Oddity = keyof typeof ODDITIES;

export type OddityCount = { oddity: Oddity; meaning: string; count: number; example: string };

export interface OddityTally {
  /** Counts one occurrence; the first one's example is kept. */
  note(oddity: Oddity, example: string): void;
  /** What occurred, in the order of {@link ODDITIES}. */
  counts(): OddityCount[];
}

export const oddityTally = (): OddityTally => {
  const seen = new Map<Oddity, { count: number; example: string }>();
  return {
    note(oddity, example) {
      const entry = seen.get(oddity);
      if (entry) entry.count += 1;
      else seen.set(oddity, { count: 1, example: example.slice(0, 160) });
    },
    counts: () =>
      (Object.keys(ODDITIES) as Oddity[]).flatMap((oddity) => {
        const entry = seen.get(oddity);
        return entry ? [{ oddity, meaning: ODDITIES[oddity], ...entry }] : [];
      }),
  };
};
