/** Prices from the catalog, kept for a moment: orders for the same goods do not ask each time. */
import { trace } from "@opentelemetry/api";
import * as z from "zod";
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

export interface PriceQuotesOptions {
  readonly catalog: Upstream;
  readonly clock: Clock;
  /** How old a quote may be, asked at each use. */
  readonly maxAgeMs: () => number;
}

/** What is not offered is asked for each time. */
export const priceQuotes = ({ catalog, clock, maxAgeMs }: PriceQuotesOptions): PriceQuotes => {
  const quotes = new Map<string, { price: Money; from: number }>();

  const keep = (sku: string, price: Money) => {
    quotes.delete(sku);
    quotes.set(sku, { price, from: clock() });
    if (quotes.size <= QUOTES_MAX) return;
    for (const oldest of quotes.keys()) {
      quotes.delete(oldest);
      return;
    }
  };

  const ask = async (skus: readonly string[]): Promise<Result<[string, Money][], Failure>> => {
    const query = new URLSearchParams(skus.map((sku) => ["sku", sku]));
    const request = new Request(`http://catalog/catalog/v1/products?${query}`, {
      signal: AbortSignal.timeout(LIMITS.quoteRequestMs),
    });
    try {
      const response = await catalog.fetch(request);
      if (!response.ok) return err(unavailable(skus));
      const { items } = productPageSchema.parse(await response.json());
      return ok(items.map(({ sku, price }) => [sku, price]));
    } catch (error) {
      trace.getActiveSpan()?.recordException(error as Error);
      return err(unavailable(skus));
    }
  };

  return {
    async of(skus) {
      const wanted = new Set(skus);
      const prices = new Map<string, Money>();
      const oldest = clock() - maxAgeMs();
      for (const sku of wanted) {
        const quote = quotes.get(sku);
        if (quote && quote.from > oldest) prices.set(sku, quote.price);
      }
      const unknown = [...wanted].filter((sku) => !prices.has(sku));
      if (unknown.length === 0) return ok(prices);
      const asked = await ask(unknown);
      if (!asked.ok) return asked;
      for (const [sku, price] of asked.value) {
        keep(sku, price);
        prices.set(sku, price);
      }
      return ok(prices);
    },
  };
};

const unavailable = (skus: readonly string[]): Failure => ({
  code: "unavailable",
  detail: `Asking the catalog for the prices of ${skus.length} products: it gave none.`,
});
