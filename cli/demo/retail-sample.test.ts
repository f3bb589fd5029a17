import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { oddityTally } from "./oddities.ts";
import { invoices, surveyProducts } from "./online-retail.ts";
import { replaySteps } from "./replay-steps.ts";
import { openRetailFile, retailRows } from "./retail-rows.ts";

const path =
  process.env.SKERRY_RETAIL_SAMPLE ??
  resolve(import.meta.dirname, "../../../shared/data/online-retail-first-10000-lines.csv.gz");
const present = existsSync(path);
if (!present)
  process.stderr.write(
    `SKIPPED: the retail sample is not at "${path}"; set SKERRY_RETAIL_SAMPLE to the first 10,000 lines of Online Retail\n`,
  );

describe.skipIf(!present)("the first 10,000 lines of Online Retail", () => {
  it("become 424 sales, with every invoice and oddity accounted for", async () => {
    const tally = oddityTally();
    const read = async (noted = oddityTally()) =>
      invoices(retailRows(await openRetailFile(path), noted), noted);
    const { products, invoices: count } = await surveyProducts(await read());
    const kinds: Record<string, number> = {};
    let orders = 0;
    for await (const step of replaySteps(await read(tally), products, tally)) {
      kinds[step.kind] = (kinds[step.kind] ?? 0) + 1;
      if (step.kind === "sale") orders += step.orders.length;
    }
    expect({ count, products: products.size, orders, kinds }).toEqual({
      count: 512,
      products: 1990,
      orders: 430,
      kinds: { sale: 424, return: 7, unmatched: 36 },
    });
    expect(Object.fromEntries(tally.counts().map((entry) => [entry.oddity, entry.count]))).toEqual({
      negative_quantity: 30,
      zero_price: 16,
      nothing_sold: 45,
      missing_customer: 23,
      split_invoice: 3,
      merged_line: 346,
      differing_price: 2119,
      charge: 38,
      escaped_stock_code: 1,
      differing_case: 27,
    });
  });
});
