/** Prices from the catalog, kept for a moment: a burst of orders for the same goods asks once. */
import { z } from "zod";
import type { Failure } from "#shared/http/errors.ts";
import { type Money, moneySchema, skuSchema } from "#shared/http/schemas.ts";
import type { Upstream } from "#shared/http/upstream.ts";
import { LIMITS } from "#shared/limits.ts";
import { err, ok, type Result } from "#shared/result.ts";
import type { Clock } from "#shared/runtime/clock.ts";

export interface PriceQuotes {
  /** The price of each sku that is offered; others are absent. */
  of(skus: readonly string[]): Promise<Result<ReadonlyMap<string, Money>, Failure>>;
}

/** Only what is used here: the catalog may add fields without asking. */
const productPageSchema = z.object({ items: z.array(z.object({ sku: skuSchema, price: moneySchema })) });

const QUOTES_MAX = 10_000;

/** A quote may be `LIMITS.quoteMs` old. What is not offered is asked for each time. */
export const priceQuotes = ({ catalog, clock }: { catalog: Upstream; clock: Clock }): PriceQuotes => {
  const quotes = new Map<string, { price: Money; until: number }>();

  const keep = (sku: string, price: Money) => {
    quotes.delete(sku);
    quotes.set(sku, { price, until: clock() + LIMITS.quoteMs });
    if (quotes.size <= QUOTES_MAX) return;
    for (const oldest of quotes.keys()) {
      quotes.delete(oldest);
      return;
    }
  };

  const ask = async (skus: readonly string[]): Promise<Result<undefined, Failure>> => {
    const query = new URLSearchParams(skus.map((sku) => ["sku", sku]));
    const unavailable = (why: string) =>
      err({ code: "unavailable", detail: `Asking the catalog for ${skus.length} prices: ${why}.` });
    try {
      const response = await catalog.fetch(new Request(`http://catalog/catalog/v1/products?${query}`));
      if (!response.ok) return unavailable(`it answered ${response.status}, expected 200`);
      const page = productPageSchema.parse(await response.json());
      for (const { sku, price } of page.items) keep(sku, price);
      return ok(undefined);
    } catch (error) {
      return unavailable(error instanceof Error ? error.message : String(error));
    }
  };

  return {
    async of(skus) {
      const wanted = [...new Set(skus)];
      const now = clock();
      const unknown = wanted.filter((sku) => (quotes.get(sku)?.until ?? 0) <= now);
      for (const sku of unknown) quotes.delete(sku);
      if (unknown.length > 0) {
        const asked = await ask(unknown);
        if (!asked.ok) return asked;
      }
      const prices = new Map<string, Money>();
      for (const sku of wanted) {
        const quote = quotes.get(sku);
        if (quote) prices.set(sku, quote.price);
      }
      return ok(prices);
    },
  };
};
