import { describe, expect, it } from "vitest";
import { LIMITS } from "#shared/limits.ts";
import { priceQuotes } from "./price-quotes.ts";

const catalogOf = (prices: Record<string, number>) => {
  const asked: string[][] = [];
  let down = false;
  let open = Promise.resolve();
  return {
    /** Answers wait until the returned function is called. */
    hold: () => {
      let release = () => {};
      open = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    asked,
    fail: (failing: boolean) => {
      down = failing;
    },
    async fetch(request: Request) {
      if (down) throw new Error("connection refused");
      const skus = new URL(request.url).searchParams.getAll("sku");
      asked.push(skus);
      await open;
      const items = skus.flatMap((sku) =>
        sku in prices ? [{ sku, name: "any", price: { amount: prices[sku], currency: "EUR" } }] : [],
      );
      return Response.json({ items });
    },
  };
};

const setUp = (prices: Record<string, number>) => {
  let now = 0;
  const catalog = catalogOf(prices);
  let maxAgeMs: number = LIMITS.quoteMs;
  const quotes = priceQuotes({ catalog, clock: () => now, maxAgeMs: () => maxAgeMs });
  const amounts = async (...skus: string[]) => {
    const found = await quotes.of(skus);
    return found.ok
      ? Object.fromEntries([...found.value].map(([sku, { amount }]) => [sku, amount]))
      : found.error;
  };
  const advance = (ms: number) => {
    now += ms;
  };
  const allowAge = (ms: number) => {
    maxAgeMs = ms;
  };
  return { catalog, amounts, advance, allowAge };
};

describe("priceQuotes", () => {
  it("asks the catalog once for all that it does not know", async () => {
    const { catalog, amounts } = setUp({ tea: 1, cup: 2 });
    expect(await amounts("tea", "cup", "tea")).toEqual({ tea: 1, cup: 2 });
    expect(catalog.asked).toEqual([["tea", "cup"]]);
  });

  it("keeps a price for a moment, and no longer", async () => {
    const prices: Record<string, number> = { tea: 1 };
    const { catalog, amounts, advance } = setUp(prices);
    await amounts("tea");
    prices.tea = 9;
    advance(LIMITS.quoteMs - 1);
    expect(await amounts("tea")).toEqual({ tea: 1 });
    advance(1);
    expect(await amounts("tea")).toEqual({ tea: 9 });
    expect(catalog.asked).toHaveLength(2);
  });

  it("holds a new age against the prices that it has", async () => {
    const prices: Record<string, number> = { tea: 1 };
    const { amounts, advance, allowAge } = setUp(prices);
    await amounts("tea");
    prices.tea = 9;
    advance(100);
    allowAge(101);
    expect(await amounts("tea")).toEqual({ tea: 1 });
    allowAge(100);
    expect(await amounts("tea")).toEqual({ tea: 9 });
  });

  it("leaves out what is not offered, and asks for it again", async () => {
    const prices: Record<string, number> = { tea: 1 };
    const { amounts } = setUp(prices);
    expect(await amounts("tea", "cup")).toEqual({ tea: 1 });
    prices.cup = 2;
    expect(await amounts("tea", "cup")).toEqual({ tea: 1, cup: 2 });
  });

  it("leaves out what is no longer offered once the quote has run out", async () => {
    const prices: Record<string, number> = { tea: 1 };
    const { amounts, advance } = setUp(prices);
    await amounts("tea");
    delete prices.tea;
    advance(LIMITS.quoteMs);
    expect(await amounts("tea")).toEqual({});
  });

  it("is not troubled by others who ask meanwhile, also for quotes that run out meanwhile", async () => {
    const { catalog, amounts, advance } = setUp({ tea: 1, cup: 2 });
    await amounts("tea");
    advance(LIMITS.quoteMs - 1);
    const release = catalog.hold();
    const both = amounts("tea", "cup");
    advance(1);
    const one = amounts("tea");
    release();
    expect(await both).toEqual({ tea: 1, cup: 2 });
    expect(await one).toEqual({ tea: 1 });
  });

  it("serves known prices while the catalog is away, and says so for others", async () => {
    const { catalog, amounts } = setUp({ tea: 1 });
    await amounts("tea");
    catalog.fail(true);
    expect(await amounts("tea")).toEqual({ tea: 1 });
    expect(await amounts("cup")).toMatchObject({ code: "unavailable" });
  });
});
